namespace Breakwater.Proxy.ZeroTouch;

/// <summary>Where a file of the boot folder really is.</summary>
internal static class BootFolder
{
    /// <summary>Is the file inside the folder when all symbolic links are followed? A link to <c>vmlinuz-6.1</c> beside it is fine, one to <c>/etc/shadow</c> is not.</summary>
    /// <param name="folder">The folder, itself perhaps a link.</param>
    /// <param name="file">A path below it that exists.</param>
    public static bool Holds(string folder, string file) => Real(file).StartsWith(Real(folder).TrimEnd('/') + "/", StringComparison.Ordinal);

    private static string Real(string path)
    {
        string real = "/";
        foreach (string part in Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            string next = Path.Combine(real, part);
            real = new FileInfo(next).ResolveLinkTarget(returnFinalTarget: true) is { } target ? Real(target.FullName) : next;
        }

        return real;
    }
}
