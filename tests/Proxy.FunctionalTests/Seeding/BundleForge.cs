using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>
/// A bundle taken apart, and put together again around a lie: counts, digests and checksums are made anew, so that only what is said is
/// wrong.
/// </summary>
internal sealed class BundleForge
{
    private BundleForge(SeedIndex index, List<(string Name, byte[] Bytes)> documents,
        List<(string Name, byte[]? Bytes, string? Link)> objects) =>
        (Index, Documents, Objects) = (index, documents, objects);

    public SeedIndex Index { get; set; }

    public List<(string Name, byte[] Bytes)> Documents { get; }

    public List<(string Name, byte[]? Bytes, string? Link)> Objects { get; }

    /// <summary>Should the digest of the contents fit? The other counts do in any case.</summary>
    public bool KeepsContents { get; set; }

    public static BundleForge Open(byte[] bundle)
    {
        SeedIndex? index = null;
        List<(string, byte[])> documents = [];
        List<(string, byte[]?, string?)> objects = [];
        for (int at = 0; bundle[at] != 0;)
        {
            TarHeader header = TarHeader.Read(bundle.AsSpan(at, 512), out string? problem);
            Assert.Null(problem);
            byte[] body = bundle.AsSpan(at + 512, header.LinkTarget is null ? (int)header.SizeBytes : 0).ToArray();
            if (header.Name == SeedPath.Index)
            {
                index = SeedIndex.Read(body, 0, IndexChecksums.Of(body), 0);
            }
            else if (header.Name.Contains("/data/", StringComparison.Ordinal))
            {
                objects.Add((header.Name, header.LinkTarget is null ? body : null, header.LinkTarget));
            }
            else if (header.Name != SeedPath.Checksums)
            {
                documents.Add((header.Name, body));
            }

            at += 512 + (int)header.SizeBytes + TarHeader.PaddingAfter(header.SizeBytes);
        }

        return new BundleForge(index!, documents, objects);
    }

    /// <summary>Changes a repository of the index.</summary>
    public void Say(Func<SeedRepository, SeedRepository> change) =>
        Index = Index with { Repositories = [.. Index.Repositories.Select(change)] };

    /// <summary>Changes a snapshot of the index.</summary>
    public void SayOfSnapshots(Func<SeedSnapshot, SeedSnapshot> change) =>
        Say(repository => repository with { Snapshots = [.. repository.Snapshots.Select(change)] });

    /// <summary>Puts it together.</summary>
    public async Task<byte[]> MakeAsync()
    {
        Objects.Sort((left, right) => SeedPath.TryParse(left.Name, out SeedPath? a) && SeedPath.TryParse(right.Name, out SeedPath? b)
            ? SeedPath.Compare(a.Value.Key, b.Value.Key) is not 0 and var order ? order : string.CompareOrdinal(a.Value.Fqrn, b.Value.Fqrn)
            : 0);
        using var contents = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, byte[]? bytes, string? _) in Objects)
        {
            contents.AppendData(SeedReader.ContentsLine(name, bytes?.Length ?? -1));
        }

        SeedIndex index = Index with
        {
            Documents = [
                .. Documents.Select(document =>
                    new SeedDocument(document.Name, document.Bytes.Length, Convert.ToHexStringLower(SHA256.HashData(document.Bytes))))],
            Objects = Objects.Count(item => item.Bytes is not null),
            ObjectBytes = Objects.Sum(item => (long)(item.Bytes?.Length ?? 0)),
            Links = Objects.Count(item => item.Link is not null),
            Contents = KeepsContents ? Index.Contents : Convert.ToHexStringLower(contents.GetCurrentHash()),
        };
        using var output = new MemoryStream();
        await using (var writer = new SeedWriter(output))
        {
            await writer.WriteIndexAsync(index.ToBytes(), default);
            foreach ((string name, byte[] bytes) in Documents)
            {
                await writer.WriteAsync(name, new MemoryStream(bytes), default);
            }

            foreach ((string name, byte[]? bytes, string? link) in Objects)
            {
                await (bytes is null
                    ? writer.WriteLinkAsync(name, link!, default)
                    : writer.WriteAsync(name, new MemoryStream(bytes), default));
            }
        }

        return output.ToArray();
    }

    /// <summary>An object of that length that the repository does not have, under its right name.</summary>
    public static (string Name, byte[]? Bytes, string? Link) Stranger(string fqrn, int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var key = new ObjectKey(SHA1.HashData(bytes), DigestAlgorithm.Sha1, 0);
        return (SeedPath.OfObject(fqrn, key), bytes, null);
    }

    /// <summary>Replaces text in a document.</summary>
    public void Edit(string end, string from, string to)
    {
        int at = Documents.FindIndex(document => document.Name.EndsWith(end, StringComparison.Ordinal));
        string text = Encoding.Latin1.GetString(Documents[at].Bytes);
        Assert.Contains(from, text, StringComparison.Ordinal);
        Documents[at] = (Documents[at].Name, Encoding.Latin1.GetBytes(text.Replace(from, to, StringComparison.Ordinal)));
    }
}
