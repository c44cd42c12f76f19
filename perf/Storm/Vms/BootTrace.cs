namespace Breakwater.Storm.Vms;

/// <summary>What a boot asks for, in order.</summary>
/// <param name="Paths">URL paths.</param>
/// <param name="MountLength">How many of the first are the mount, asked one after the other on one connection.</param>
internal sealed record BootTrace(IReadOnlyList<string> Paths, int MountLength)
{
    /// <summary>A trace from the paths alone: a leading manifest makes everything up to the first catalog the mount.</summary>
    public static BootTrace Of(IReadOnlyList<string> paths)
    {
        int mount = 0;
        if (paths.Count > 0 && paths[0].EndsWith("/.cvmfspublished", StringComparison.Ordinal))
        {
            while (mount < paths.Count && !IsObject(paths[mount], 'C'))
            {
                mount++;
            }

            mount = Math.Min(mount + 1, paths.Count);
        }

        return new BootTrace(paths, mount);
    }

    /// <summary>One path a line.</summary>
    public static BootTrace Read(string file) => Of([.. File.ReadLines(file).Select(l => l.Trim()).Where(l => l.Length > 0)]);

    /// <summary>
    /// A reboot with an empty cache: the VM has kept the root hash, so it asks for no manifest, certificate, whitelist or history, but for
    /// the root catalog at once.
    /// </summary>
    public BootTrace Reboot() => new(
        [.. Paths.Skip(MountLength == 0 ? 0 : MountLength - 1)],
        Math.Min(MountLength, 1));

    /// <summary>A mount with a warm cache, as every client does it after a restart: the manifest only.</summary>
    public BootTrace WarmMount() => new([.. Paths.Take(1)], 1);

    private static bool IsObject(string path, char suffix) => path.Contains("/data/", StringComparison.Ordinal) && path[^1] == suffix;
}
