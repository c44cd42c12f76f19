namespace Breakwater.Proxy.Requests;

/// <summary>
/// Where a path may lead at a server that reads it more generously than this proxy: escapes undone before or after dot segments are
/// resolved, empty segments left out, backslashes taken for slashes. Pure.
/// </summary>
internal static class LenientPath
{
    /// <summary>May it lead below this folder of the root?</summary>
    /// <param name="pathAndQuery">From the slash on, as the client wrote it.</param>
    /// <param name="folder">Without slashes.</param>
    public static bool MayLeadBelow(string pathAndQuery, string folder) =>
        Readings(pathAndQuery).Any(reading => reading.Resolved.StartsWith(folder + "/", StringComparison.Ordinal));

    /// <summary>May it lead out of the folder to which it is appended?</summary>
    /// <param name="pathAndQuery">From the slash on, as the client wrote it.</param>
    public static bool MayClimbOut(string pathAndQuery) => Readings(pathAndQuery).Any(static reading => reading.ClimbsOut);

    private static (string Resolved, bool ClimbsOut)[] Readings(string pathAndQuery)
    {
        int end = pathAndQuery.AsSpan().IndexOfAny('?', '#');
        string path = end < 0 ? pathAndQuery : pathAndQuery[..end];
        return [Resolve(path), Resolve(Uri.UnescapeDataString(path))];
    }

    private static (string Resolved, bool ClimbsOut) Resolve(string path)
    {
        var folders = new List<string>();
        bool climbsOut = false;
        foreach (string segment in path.Split('/', '\\').Select(Uri.UnescapeDataString))
        {
            if (segment == ".." && folders.Count == 0)
            {
                climbsOut = true;
            }
            else if (segment == "..")
            {
                folders.RemoveAt(folders.Count - 1);
            }
            else if (segment is not ("" or "."))
            {
                folders.Add(segment);
            }
        }

        return (string.Join('/', folders) + (path.EndsWith('/') ? "/" : ""), climbsOut);
    }
}
