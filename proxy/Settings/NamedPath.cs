namespace Breakwater.Proxy.Settings;

/// <summary>
/// Looks for what an operator named. <see cref="File.Exists"/> says "no" of what this user may not look at, and a message that something is
/// missing sends its reader the wrong way.
/// </summary>
internal static class NamedPath
{
    /// <summary>Is it a file?</summary>
    /// <exception cref="UnauthorizedAccessException">Permission to look is missing.</exception>
    public static bool IsFile(string path) => AttributesOf(path) is { } found && !found.HasFlag(FileAttributes.Directory);

    /// <summary>Is it a folder?</summary>
    /// <exception cref="UnauthorizedAccessException">Permission to look is missing.</exception>
    public static bool IsFolder(string path) => AttributesOf(path) is { } found && found.HasFlag(FileAttributes.Directory);

    private static FileAttributes? AttributesOf(string path)
    {
        try
        {
            return File.GetAttributes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
