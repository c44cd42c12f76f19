namespace Breakwater.Proxy.ZeroTouch;

/// <summary>Where a file of the boot folder really is.</summary>
internal static class BootFolder
{
    /// <summary>
    /// The file with all symbolic links followed; null when it is not inside the folder then. A link to <c>vmlinuz-6.1</c> beside it is
    /// fine, one to <c>/etc/shadow</c> is not. A link's own time and length say nothing of the file that is sent: the real one's are those
    /// of its entity tag.
    /// </summary>
    /// <param name="folder">The folder, itself perhaps a link.</param>
    /// <param name="file">A path below it that exists.</param>
    public static FileInfo? Find(string folder, string file)
    {
        string real;
        try
        {
            real = Real(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // a link that leads to itself, or through a folder that may not be read
        }

        return real.StartsWith(Real(folder).TrimEnd('/') + "/", StringComparison.Ordinal) && new FileInfo(real) is { Exists: true } found
            ? found
            : null;
    }

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
