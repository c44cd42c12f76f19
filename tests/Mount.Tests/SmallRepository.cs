using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;
using Microsoft.Data.Sqlite;

namespace Breakwater.Mount.Tests;

/// <summary>A repository of our own making on a server: what no fixture has, such as devices, extended attributes and odd rows.</summary>
internal sealed class SmallRepository : IAsyncDisposable
{
    public const string Fqrn = "os.lab.example";

    /// <summary>Its objects are stored as they are.</summary>
    public const CatalogFlags Plain = (CatalogFlags)(1 << 11);

    private static readonly DateTimeOffset s_now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly List<CatalogRow> _rows = [];
    private readonly List<(PathKey File, long Offset, long Size, byte[] Digest)> _chunks = [];

    public ScriptedUpstream Server { get; } = ScriptedUpstream.Start();

    /// <summary>SQL by which a catalog is changed after it was written; empty: none.</summary>
    public string Change { get; init; } = "";

    /// <summary>Where the server has an object.</summary>
    public static string UrlOf(ObjectKey key) => $"/cvmfs/{Fqrn}/{key.ToPath()}";

    /// <summary>A row of a path; callers change what they want otherwise.</summary>
    public static CatalogRow Row(string path, CatalogFlags flags, uint mode) => new()
    {
        Key = PathKey.Of(path),
        Parent = path.Length == 0 ? default : PathKey.Of(path[..path.LastIndexOf('/')]),
        Name = Encoding.UTF8.GetBytes(path[(path.LastIndexOf('/') + 1)..]),
        Flags = flags,
        SizeBytes = (flags & CatalogFlags.Directory) != 0 ? 4096 : 0,
        Mode = mode,
        ModifiedAt = 1_700_000_000,
        Uid = 0,
        Gid = 0,
        HardLinks = 1,
    };

    /// <summary>Adds a row to the catalog that is written next.</summary>
    public void Add(CatalogRow row) => _rows.Add(row);

    /// <summary>Adds a file with one object.</summary>
    public ObjectKey AddFile(string path, byte[] content, CatalogFlags flags = CatalogFlags.File, uint mode = 0x81a4)
    {
        ObjectKey key = Put(content, (flags & Plain) != 0, ObjectKind.Plain);
        _rows.Add(Row(path, flags, mode) with { SizeBytes = content.Length, Digest = DigestOf(key) });
        return key;
    }

    /// <summary>Adds a file in chunks.</summary>
    public List<ObjectKey> AddChunked(string path, params byte[][] contents)
    {
        List<ObjectKey> keys = [];
        long at = 0;
        foreach (byte[] content in contents)
        {
            ObjectKey key = Put(content, isPlain: false, ObjectKind.Chunk);
            keys.Add(key);
            _chunks.Add((PathKey.Of(path), at, content.Length, DigestOf(key)));
            at += content.Length;
        }

        _rows.Add(Row(path, CatalogFlags.File | CatalogFlags.Chunked, 0x81a4) with { SizeBytes = at });
        return keys;
    }

    /// <summary>Writes the rows so far as a catalog and begins with the next.</summary>
    public ObjectKey WriteCatalog(string prefix = "", params (string Path, ObjectKey Key)[] nested)
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("catalog");
        var head = new CatalogHead
        {
            Prefix = Encoding.UTF8.GetBytes(prefix),
            Revision = 7,
            Ttl = TimeSpan.FromMinutes(4),
            ModifiedAt = s_now,
        };
        using (var writer = new CatalogWriter(file, head))
        {
            _rows.ForEach(row => writer.Add(row));
            _chunks.ForEach(chunk => writer.AddChunk(chunk.File, chunk.Offset, chunk.Size, chunk.Digest));
            foreach ((string path, ObjectKey key) in nested)
            {
                writer.AddNested(Encoding.UTF8.GetBytes(path), key, 4096);
            }

            writer.Complete(default, default);
        }

        ChangeFile(file);
        _rows.Clear();
        _chunks.Clear();
        return Put(File.ReadAllBytes(file), isPlain: false, ObjectKind.Catalog);
    }

    /// <summary>Puts an object on the server.</summary>
    public ObjectKey Put(byte[] content, bool isPlain, ObjectKind kind)
    {
        byte[] wire = isPlain ? content : Zlib(content);
        var key = new ObjectKey(SHA1.HashData(wire), DigestAlgorithm.Sha1, kind);
        Server.Put(UrlOf(key), wire);
        return key;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private void ChangeFile(string file)
    {
        if (Change.Length == 0)
        {
            return;
        }

        using var connection = new SqliteConnection($"Data Source={file};Pooling=False;Foreign Keys=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = Change;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static byte[] DigestOf(ObjectKey key)
    {
        byte[] digest = new byte[ObjectKey.DigestSizeBytes];
        key.CopyDigestTo(digest);
        return digest;
    }

    private static byte[] Zlib(byte[] bytes)
    {
        using var wire = new MemoryStream();
        using (var zlib = new ZLibStream(wire, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(bytes);
        }

        return wire.ToArray();
    }
}
