using System.Text.Json;
using System.Text.Json.Serialization;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>What a bundle carries: its first entry. Everything in it is compared with the content while a bundle is read.</summary>
internal sealed record SeedIndex
{
    /// <summary>Version of the format.</summary>
    public const string CurrentFormat = "breakwater-seed/1";

    /// <summary>In memory only: a Stratum 1's tree, which has no index.</summary>
    public const string TreeFormat = "tree";

    /// <summary>Longest index, bytes. A repository takes some hundred bytes, a tag 150.</summary>
    public const int MaxBytes = 8 << 20;

    /// <summary>
    /// Objects that one bundle carries, and as many that it inherits: an import holds their names in memory, 200 bytes each.
    /// </summary>
    public const long MaxObjects = 4_000_000;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary><see cref="CurrentFormat"/>.</summary>
    public required string Format { get; init; }

    /// <summary>Name under which the set is pinned, unless the import says another.</summary>
    public required string Name { get; init; }

    /// <summary>The repositories, by name.</summary>
    public required IReadOnlyList<SeedRepository> Repositories { get; init; }

    /// <summary>Small files in the order in which they follow, with their SHA-256.</summary>
    public required IReadOnlyList<SeedDocument> Documents { get; init; }

    /// <summary>Distinct objects carried.</summary>
    public required long Objects { get; init; }

    /// <summary>Their bytes.</summary>
    public required long ObjectBytes { get; init; }

    /// <summary>Further names of objects that several repositories share: hard links, without bytes.</summary>
    public required long Links { get; init; }

    /// <summary>Objects that are needed and not carried: an earlier bundle has brought them (<c>--since</c>).</summary>
    public required long Inherited { get; init; }

    /// <summary>
    /// SHA-256 over the names and sizes of all objects and links, in order: <c>size SP name LF</c> each, a link with the size −1.
    /// </summary>
    public required string Contents { get; init; }

    /// <summary>The bytes of the index: one field a line.</summary>
    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, s_json), (byte)'\n'];

    /// <summary>Compares the index with its sums and reads it.</summary>
    /// <param name="index">Bytes of <c>index.json</c>.</param>
    /// <param name="indexOffset">Where they begin in the bundle.</param>
    /// <param name="checksums">Bytes of <c>index.sha256</c>.</param>
    /// <param name="checksumsOffset">Where these begin.</param>
    /// <exception cref="SeedRefusedException">Damaged, or not an index; the message names field and offset.</exception>
    public static SeedIndex Read(ReadOnlyMemory<byte> index, long indexOffset, ReadOnlyMemory<byte> checksums, long checksumsOffset)
    {
        IndexChecksums.Check(index.Span, indexOffset, checksums.Span, checksumsOffset);
        try
        {
            SeedIndex read = JsonSerializer.Deserialize<SeedIndex>(index.Span, s_json) ?? throw new JsonException("it is null");
            return Validate(read, indexOffset);
        }
        catch (JsonException e)
        {
            throw new SeedRefusedException($"{SeedPath.Index}, field {e.Path ?? "$"}", indexOffset, $"cannot be read ({e.Message})");
        }
    }

    private static SeedIndex Validate(SeedIndex index, long offset)
    {
        void Require(bool holds, string field, string what)
        {
            if (!holds)
            {
                throw new SeedRefusedException($"{SeedPath.Index}, field {field}", offset, what);
            }
        }

        Require(index.Format == CurrentFormat, "format", $"is '{Short(index.Format)}'; this release reads {CurrentFormat}");
        Require(SeedName.IsValid(index.Name), "name", SeedName.Rule);
        Require(!index.Repositories.Contains(null!) && index.Repositories.All(repository => !repository.Snapshots.Contains(null!)),
            "repositories", "holds null");
        Require(!index.Documents.Contains(null!), "documents", "holds null");
        Require(index.Repositories.Count is > 0 and <= 1000, "repositories", "must have 1 to 1000");
        Require(index.Objects >= 0 && index.ObjectBytes >= 0 && index.Links >= 0 && index.Inherited >= 0, "objects", "a count is negative");
        Require(index.Objects <= MaxObjects && index.Inherited <= MaxObjects, "objects", $"states more than {MaxObjects} objects");
        Require(index.Contents.Length == 64 && index.Contents.All(char.IsAsciiHexDigitLower), "contents", "is not a SHA-256");
        for (int i = 0; i < index.Repositories.Count; i++)
        {
            string fqrn = index.Repositories[i].Fqrn;
            Require(SeedPath.IsFqrn(fqrn), $"repositories[{i}].fqrn", "is not a repository's name");
            Require(
                i == 0 || string.CompareOrdinal(index.Repositories[i - 1].Fqrn, fqrn) < 0, $"repositories[{i}].fqrn",
                "is out of order or twice there");
            Require(
                index.Repositories[i].Snapshots.DistinctBy(snapshot => snapshot.Tag).Count() == index.Repositories[i].Snapshots.Count,
                $"repositories[{i}].snapshots", "names one twice");
        }

        foreach (SeedDocument document in index.Documents)
        {
            Require(
                SeedPath.TryParse(document.Name, out SeedPath? path) && path.Value.Kind == SeedEntryKind.Document
                && (path.Value.Fqrn.Length == 0 || index.Repositories.Any(repository => repository.Fqrn == path.Value.Fqrn)),
                "documents", $"names '{Short(document.Name)}', which no bundle has");
        }

        Require(index.Documents.DistinctBy(document => document.Name).Count() == index.Documents.Count, "documents", "names one twice");
        return index;
    }

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
