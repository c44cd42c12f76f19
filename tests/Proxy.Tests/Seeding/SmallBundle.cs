using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Tests.Seeding;

/// <summary>A bundle of a few entries of our own choice, whose index states what is there unless it is told to lie.</summary>
internal sealed class SmallBundle
{
    public const string Fqrn = "a.example.org";

    /// <summary>Documents in the bundle's order.</summary>
    public List<(string Name, byte[] Bytes)> Documents { get; } = [];

    /// <summary>Entries behind them: files, and links to files.</summary>
    public List<(string Name, byte[]? Bytes, string? Link)> Objects { get; } = [];

    /// <summary>The repositories that the index names.</summary>
    public List<string> Fqrns { get; } = [Fqrn];

    /// <summary>What the index says otherwise.</summary>
    public Func<SeedIndex, SeedIndex> Lie { get; set; } = index => index;

    /// <summary>Name of an object below a repository: a digest that begins with a byte.</summary>
    public static string NameOf(byte first, string fqrn = Fqrn, char kind = '\0') => SeedPath.OfObject(
        fqrn, new ObjectKey([first, .. new byte[19]], DigestAlgorithm.Sha1, (ObjectKind)kind));

    public SmallBundle Add(string name, int length)
    {
        Objects.Add((name, [.. Enumerable.Range(1, length).Select(i => (byte)i)], null));
        return this;
    }

    public SmallBundle AddLink(string name, string target)
    {
        Objects.Add((name, null, target));
        return this;
    }

    public SeedIndex Index()
    {
        using var contents = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, byte[]? bytes, string? _) in Objects)
        {
            contents.AppendData(SeedReader.ContentsLine(name, bytes?.Length ?? -1));
        }

        var files = Objects.Where(o => o.Bytes is not null)
            .DistinctBy(o => o.Name[Math.Max(0, o.Name.IndexOf("/data/", StringComparison.Ordinal))..]);
        return Lie(new SeedIndex
        {
            Format = SeedIndex.CurrentFormat,
            Name = "small",
            Repositories = [.. Fqrns.Select(fqrn => new SeedRepository(fqrn, 2, DateTimeOffset.UnixEpoch, []))],
            Documents = [.. Documents.Select(document => new SeedDocument(
                document.Name, document.Bytes.Length, Convert.ToHexStringLower(SHA256.HashData(document.Bytes))))],
            Objects = files.Count(),
            ObjectBytes = files.Sum(o => (long)o.Bytes!.Length),
            Links = Objects.Count(o => o.Link is not null),
            Inherited = 0,
            Contents = Convert.ToHexStringLower(contents.GetCurrentHash()),
        });
    }

    public async Task<byte[]> MakeAsync()
    {
        using var bundle = new MemoryStream();
        await using (var writer = new SeedWriter(bundle))
        {
            await writer.WriteIndexAsync(Index().ToBytes(), default);
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

        return bundle.ToArray();
    }

    /// <summary>Where the header of an entry begins.</summary>
    public static int HeaderOf(byte[] bundle, string name)
    {
        for (int at = 0; bundle[at] != 0;)
        {
            TarHeader header = TarHeader.Read(bundle.AsSpan(at, 512), out string? problem);
            Assert.Null(problem);
            if (header.Name == name)
            {
                return at;
            }

            at += 512 + (int)header.SizeBytes + TarHeader.PaddingAfter(header.SizeBytes);
        }

        throw new InvalidOperationException($"There is no {name}.");
    }

    /// <summary>What a reader hands on of a bundle, a line each; the last line is why it refuses.</summary>
    public static async Task<List<string>> ReadAsync(byte[] bundle, long maxObjectBytes = 1000)
    {
        var noted = new Noted();
        try
        {
            var reader = new SeedReader(new MemoryStream(bundle), new SeedLimits(maxObjectBytes));
            SeedIndex index = await reader.ReadIndexAsync(default);
            Assert.Equal(index.ToBytes(), reader.IndexBytes.ToArray());
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(index.ToBytes())), reader.IndexSha256);
            await reader.ReadContentAsync(noted, default);
            Assert.Equal(bundle.Length, reader.Offset);
        }
        catch (SeedRefusedException e)
        {
            noted.Lines.Add(e.Message);
        }

        return noted.Lines;
    }

    private sealed class Noted : ISeedVisitor
    {
        private readonly List<byte> _bytes = [];

        public List<string> Lines { get; } = [];

        public ValueTask OnDocumentAsync(string name, byte[] bytes, long offset, CancellationToken cancellationToken)
        {
            Lines.Add($"document {name} {Encoding.Latin1.GetString(bytes)} at {offset}");
            return default;
        }

        public ValueTask OnObjectAsync(SeedPath path, string name, long length, long offset, CancellationToken cancellationToken)
        {
            Lines.Add($"object {path.Fqrn} {path.Key} {name} {length} at {offset}");
            _bytes.Clear();
            return default;
        }

        public ValueTask OnObjectBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            _bytes.AddRange(bytes.Span);
            return default;
        }

        public ValueTask OnObjectEndAsync(CancellationToken cancellationToken)
        {
            Assert.Equal(Enumerable.Range(1, _bytes.Count).Select(i => (byte)i), _bytes);
            Lines.Add($"end {_bytes.Count}");
            return default;
        }

        public void OnLink(SeedPath path) => Lines.Add($"link {path.Fqrn} {path.Key}");
    }
}
