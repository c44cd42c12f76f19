using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Disk;

namespace Breakwater.Proxy.Commands.Publish.Objects;

/// <summary>
/// Which objects of a repository are in Breakwater's own store, and with which documents they were shown there. Immutable.
/// </summary>
/// <param name="Shown">Hash of the manifest and whitelist that were shown last; empty: none were.</param>
/// <param name="Keys">The objects.</param>
internal sealed record StoredObjects(string Shown, IReadOnlySet<ObjectKey> Keys)
{
    /// <summary>Name of the file among the publisher's own.</summary>
    public const string FileName = "stored";

    /// <summary>Reads a list; one that is missing is empty.</summary>
    public static StoredObjects Load(string path)
    {
        if (!File.Exists(path))
        {
            return new StoredObjects("", new HashSet<ObjectKey>());
        }

        string[] lines = File.ReadAllLines(path, Encoding.ASCII);
        return new StoredObjects(lines.FirstOrDefault() ?? "", lines.Skip(1).Select(ObjectKey.Parse).ToHashSet());
    }

    /// <summary>Writes the list, whole.</summary>
    public void Save(string path) => WholeFile.Write(
        path, Encoding.ASCII.GetBytes(Shown + "\n" + string.Concat(Keys.Select(key => key + "\n"))), WholeFile.Secret);
}
