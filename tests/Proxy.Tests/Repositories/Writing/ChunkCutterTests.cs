using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Tests.Repositories.Writing;

/// <summary>Files are cut where the usual server cuts them.</summary>
public sealed class ChunkCutterTests
{
    /// <summary>The sizes with which the fixtures were made.</summary>
    private const int Min = 64 << 10, Average = 128 << 10, Max = 256 << 10;

    [Theory]
    [InlineData("tiny.example.org")]
    [InlineData("minios.example.org")]
    public async Task Cut_ChunkedFilesOfARealServer_SameChunks(string name)
    {
        Fixture fixture = Fixture.Load(name);
        int files = 0;
        Assert.Null(await new CatalogTree(fixture.Manifest.RootCatalog, fixture.OpenCatalog).WalkAsync((catalog, _) =>
        {
            return catalog.Walk(entry =>
            {
                if (entry.IsChunked)
                {
                    List<CatalogChunk> chunks = [];
                    Assert.Null(catalog.ReadChunks(entry, chunks));
                    byte[] content = [.. chunks.SelectMany(chunk => fixture.Content(chunk.Object, entry.IsStoredPlain))];
                    Assert.Equal(chunks.Select(chunk => (int)chunk.SizeBytes), Cut(content, 100_003));
                    files++;
                }
            });
        }));
        Assert.True(files > 0);
    }

    [Fact]
    public void Cut_BytesInPiecesOfAnySize_SameChunks()
    {
        byte[] content = new byte[3 << 20];
        new Random(7).NextBytes(content);
        List<int> whole = Cut(content, content.Length);
        Assert.InRange(whole.Count, content.Length / Max, (content.Length / Min) + 1);
        Assert.All(whole.SkipLast(1), size => Assert.InRange(size, Min, Max));
        foreach (int piece in (int[])[1021, 4096, Min - 1, Min, Min + 1, Max])
        {
            Assert.Equal(whole, Cut(content, piece));
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(Min, 1)]
    [InlineData(Max, 1)]
    [InlineData(Max + 1, 2)]
    [InlineData((2 * Max) + 1, 3)]
    public void Cut_OnlyZeros_AtTheLargestSize(int length, int chunks)
    {
        List<int> sizes = Cut(new byte[length], 1000);
        Assert.Equal(chunks, sizes.Count);
        Assert.Equal(length, sizes.Sum());
        Assert.All(sizes.SkipLast(1), size => Assert.Equal(Max, size));
    }

    [Fact]
    public void Cut_AByteInsertedInFront_LaterChunksStay()
    {
        byte[] content = new byte[4 << 20];
        new Random(8).NextBytes(content);
        List<int> before = Cut(content, 65536);
        List<int> after = Cut([1, .. content], 65536);
        Assert.True(before.TakeLast(5).SequenceEqual(after.TakeLast(5)));
    }

    private static List<int> Cut(byte[] content, int piece)
    {
        var cutter = new ChunkCutter(Min, Average, Max);
        List<int> sizes = [];
        int size = 0;
        for (int at = 0; at < content.Length; at += piece)
        {
            ReadOnlySpan<byte> rest = content.AsSpan(at, Math.Min(piece, content.Length - at));
            while (cutter.TryCut(rest, out int consumed))
            {
                sizes.Add(size + consumed);
                size = 0;
                rest = rest[consumed..];
            }

            size += rest.Length;
        }

        sizes.Add(size);
        return sizes;
    }
}
