using System.Formats.Tar;

namespace Breakwater.Laboratory.Stratum1;

/// <summary>A real repository as a Stratum 1 serves it, read from a tar file.</summary>
internal static class RepositoryTree
{
    /// <summary>Every file of the tar as <c>/cvmfs/&lt;name in the tar&gt;</c>.</summary>
    public static IReadOnlyList<ServedObject> Read(string tarPath)
    {
        var objects = new List<ServedObject>();
        using FileStream file = File.OpenRead(tarPath);
        using var tar = new TarReader(file);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
            {
                byte[] body = new byte[entry.Length];
                entry.DataStream?.ReadExactly(body);
                string name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
                objects.Add(new ServedObject("/cvmfs/" + name, body));
            }
        }

        return objects;
    }
}
