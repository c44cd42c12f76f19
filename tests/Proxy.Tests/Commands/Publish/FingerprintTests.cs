using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Catalogs;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Tests.Commands.Publish;

/// <summary>A catalog is used again when its fingerprint is the same: nothing that it says may be left out of that.</summary>
public sealed class FingerprintTests
{
    private static readonly CatalogRow s_row = new()
    {
        Key = new PathKey(1, 2),
        Parent = new PathKey(3, 4),
        Name = new byte[] { 5 },
        Flags = CatalogFlags.File,
        SizeBytes = 6,
        Mode = 7,
        ModifiedAt = 8,
        Uid = 9,
        Gid = 10,
        HardLinks = 11,
        Digest = new byte[] { 12 },
        LinkTarget = new byte[] { 13 },
        Xattrs = new byte[] { 14 },
    };

    private static readonly FileContent s_chunks = new([new FileChunk(15, [16]), new FileChunk(17, [18])]);

    [Fact]
    public void Rows_ThatDifferInAnything_HaveFingerprintsOfTheirOwn()
    {
        (CatalogRow, FileContent?)[] rows =
        [
            (s_row, null),
            (s_row, s_chunks),
            (s_row, new FileContent([new FileChunk(99, [16]), new FileChunk(17, [18])])),
            (s_row, new FileContent([new FileChunk(15, [99]), new FileChunk(17, [18])])),
            (s_row, new FileContent([new FileChunk(15, [16]), new FileChunk(17, [99])])),
            (s_row with { Key = new PathKey(99, 2) }, null),
            (s_row with { Key = new PathKey(1, 99) }, null),
            (s_row with { Name = new byte[] { 99 } }, null),
            (s_row with { Name = new byte[] { 5, 0 } }, null),
            (s_row with { Flags = CatalogFlags.File | CatalogFlags.Link }, null),
            (s_row with { SizeBytes = 99 }, null),
            (s_row with { Mode = 99 }, null),
            (s_row with { ModifiedAt = 99 }, null),
            (s_row with { Uid = 10, Gid = 9 }, null),
            (s_row with { Uid = 99 }, null),
            (s_row with { Gid = 99 }, null),
            (s_row with { HardLinks = 99 }, null),
            (s_row with { Digest = new byte[] { 99 } }, null),
            (s_row with { LinkTarget = new byte[] { 99 } }, null),
            (s_row with { Xattrs = new byte[] { 99 } }, null),
            (s_row with { LinkTarget = new byte[] { 13, 14 }, Xattrs = default }, null),      // the same bytes, cut elsewhere
        ];

        string[] fingerprints = [.. rows.Select(row => Of(fingerprint => fingerprint.Add(row.Item1, row.Item2)))];

        Assert.Equal(fingerprints.Length, fingerprints.Distinct().Count());
        Assert.Equal(fingerprints[0], Of(fingerprint => fingerprint.Add(s_row, new FileContent([12]))));
    }

    [Fact]
    public void NestedCatalogs_ThatDifferInAnything_HaveFingerprintsOfTheirOwn()
    {
        ObjectKey key = new(new byte[20], DigestAlgorithm.Sha1, ObjectKind.Catalog);
        ObjectKey other = new([1, .. new byte[19]], DigestAlgorithm.Sha1, ObjectKind.Catalog);

        string[] fingerprints =
        [
            Of(fingerprint => fingerprint.Add("/a"u8, key, 5)),
            Of(fingerprint => fingerprint.Add("/b"u8, key, 5)),
            Of(fingerprint => fingerprint.Add("/a"u8, other, 5)),
            Of(fingerprint => fingerprint.Add("/a"u8, key, 6)),
            Of(fingerprint => fingerprint.Add(5)),
            Of(fingerprint => fingerprint.Add(6)),
            Of(_ => { }),
        ];

        Assert.Equal(fingerprints.Length, fingerprints.Distinct().Count());
    }

    /// <summary>What does not fit into the buffer, and what fills it to the last byte, counts like the rest.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData((128 << 10) - 8)]
    [InlineData(128 << 10)]
    [InlineData((128 << 10) + 1)]
    public void Fields_OfAnyLength_AreHashedInTheirOrder(int length)
    {
        byte[] name = new byte[length];
        new Random(length).NextBytes(name);
        byte[] changed = [.. name];
        changed[^1] ^= 1;

        string first = Of(fingerprint => fingerprint.Add(s_row with { Name = name }, s_chunks));

        Assert.Equal(first, Of(fingerprint => fingerprint.Add(s_row with { Name = name.ToArray() }, s_chunks)));
        Assert.NotEqual(first, Of(fingerprint => fingerprint.Add(s_row with { Name = changed }, s_chunks)));
        Assert.NotEqual(
            Of(fingerprint =>
            {
                fingerprint.Add(s_row with { Name = name }, null);
                fingerprint.Add(s_row, null);
            }),
            Of(fingerprint =>
            {
                fingerprint.Add(s_row, null);
                fingerprint.Add(s_row with { Name = name }, null);
            }));
    }

    private static string Of(Action<Fingerprint> add)
    {
        using var fingerprint = new Fingerprint();
        add(fingerprint);
        return Convert.ToHexString(fingerprint.Finish());
    }
}
