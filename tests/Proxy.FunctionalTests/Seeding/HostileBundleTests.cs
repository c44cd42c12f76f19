using System.Formats.Tar;
using System.Text;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

public sealed class HostileBundleTests
{
    /// <summary>
    /// Bytes of every region: the fields of a header, first, middle and last byte of each kind of content, padding, tail; and some by
    /// chance. Every single byte with BREAKWATER_EVERY_BYTE=1 (headers: also <c>SeedFormatTests</c>, every bit).
    /// </summary>
    [Fact]
    public async Task AnyByte_Flipped_IsRefusedByNameAndOffsetAndNothingBecomesVisible()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await ExportSmallAsync(bench, minios);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        bool isEvery = Environment.GetEnvironmentVariable("BREAKWATER_EVERY_BYTE") == "1";
        foreach (int i in isEvery ? Enumerable.Range(0, bundle.Length) : SampleOffsets(bundle))
        {
            byte[] damaged = [.. bundle];
            damaged[i] ^= (byte)(1 << (i % 8));
            SeedRefusedException refused = await Assert.ThrowsAsync<SeedRefusedException>(() => SeedBench.ImportAsync(lab, damaged));
            Assert.NotEmpty(refused.Entry);
            Assert.InRange(refused.Offset, 0, i);
            Assert.Contains("offset", refused.Message, StringComparison.Ordinal);
        }

        Assert.Empty(lab.Services.GetRequiredService<SeedRegistry>().List());
        Assert.Empty(lab.Services.GetRequiredService<Breakwater.CacheStore.Pins.PinSets>().List());
        Assert.Equal(404, (await lab.GetAsync(minios.UrlPath(".cvmfspublished"))).Status);
        Assert.DoesNotContain(minios.Objects.Keys, key => lab.Store.Contains(key));
        await SeedBench.ImportAsync(lab, bundle);
        Assert.Equal(200, (await lab.GetAsync(minios.UrlPath(".cvmfspublished"))).Status);
    }

    [Fact]
    public async Task Bundle_TruncatedAnywhere_IsRefused()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await ExportSmallAsync(bench, minios);
        for (int length = 0; length < bundle.Length; length += 211)
        {
            await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync(bundle[..length]));
        }

        await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync(bundle[..^1]));
        await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync([.. bundle, 0]));
        await bench.VerifyAsync(bundle);
    }

    /// <summary>Damage by seed, the same in every run: cut out, doubled, overwritten, swapped.</summary>
    [Fact]
    public async Task Bundle_RandomDamage_IsRefused()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await ExportSmallAsync(bench, minios);
        for (int seed = 0; seed < 150; seed++)
        {
            var random = new Random(seed);
            int at = random.Next(bundle.Length);
            int length = Math.Min(random.Next(1, 2_000), bundle.Length - at);
            byte[] damaged = random.Next(4) switch
            {
                0 => [.. bundle[..at], .. bundle[(at + length)..]],
                1 => [.. bundle[..(at + length)], .. bundle[at..]],
                2 => [.. bundle[..at], .. new byte[length], .. bundle[(at + length)..]],
                _ => [.. bundle[..at], .. bundle[at..(at + length)].Reverse(), .. bundle[(at + length)..]],
            };
            if (!damaged.AsSpan().SequenceEqual(bundle))
            {
                await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync(damaged));
            }
        }
    }

    [Theory]
    [InlineData("../../etc/passwd", TarEntryType.RegularFile)]
    [InlineData("/etc/passwd", TarEntryType.RegularFile)]
    [InlineData("cvmfs/minios.example.org/data/../../../x", TarEntryType.RegularFile)]
    [InlineData("cvmfs/minios.example.org/data/00/000000000000000000000000000000000000ff", TarEntryType.SymbolicLink)]
    [InlineData("cvmfs/minios.example.org/data/00/000000000000000000000000000000000000ff", TarEntryType.HardLink)]
    [InlineData("cvmfs/minios.example.org/data/00/000000000000000000000000000000000000ff", TarEntryType.CharacterDevice)]
    [InlineData("cvmfs/minios.example.org/data/00/000000000000000000000000000000000000ff", TarEntryType.Fifo)]
    [InlineData("cvmfs/minios.example.org/data/00", TarEntryType.Directory)]
    [InlineData("cvmfs/other.example.org/data/00/000000000000000000000000000000000000ff", TarEntryType.RegularFile)]
    public async Task StrangeEntry_AmongTheObjects_IsRefusedByName(string name, TarEntryType type)
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await ExportSmallAsync(bench, minios);
        long at = Entries(bundle).First(entry => entry.Name.Contains("/data/", StringComparison.Ordinal)).HeaderOffset;
        var strange = new UstarTarEntry(type, name) { Mode = (UnixFileMode)0x1a4, ModificationTime = DateTimeOffset.UnixEpoch };
        if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
        {
            strange.LinkName = "/etc/passwd";
        }

        using var extra = new MemoryStream();
        await using (var tar = new TarWriter(extra, TarEntryFormat.Ustar, leaveOpen: true))
        {
            await tar.WriteEntryAsync(strange);
        }

        byte[] hostile = [.. bundle[..(int)at], .. extra.ToArray()[..512], .. bundle[(int)at..]];
        SeedRefusedException refused = await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync(hostile));
        Assert.Equal(at, refused.Offset);
        Assert.Contains(name.Split('/')[^1], refused.Entry, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_SwappedOrTwiceThere_AreRefused()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await ExportSmallAsync(bench, minios);
        List<(string Name, long HeaderOffset, long End)> objects =
            [.. Entries(bundle).Where(entry => entry.Name.Contains("/data/", StringComparison.Ordinal))];
        (string _, long aStart, long aEnd) = objects[^2];
        (string _, long bStart, long bEnd) = objects[^1];
        byte[] swapped =
            [.. bundle[..(int)aStart], .. bundle[(int)bStart..(int)bEnd], .. bundle[(int)aStart..(int)aEnd], .. bundle[(int)bEnd..]];
        Assert.Contains("order", (await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync(swapped))).Message,
            StringComparison.Ordinal);
        byte[] twice = [.. bundle[..(int)aEnd], .. bundle[(int)aStart..(int)aEnd], .. bundle[(int)aEnd..]];
        Assert.Contains("twice", (await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync(twice))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Size_Absurd_IsRefusedBeforeAnythingIsRead()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await ExportSmallAsync(bench, minios);
        foreach (long at
            in (long[])[0, Entries(bundle).First(entry => entry.Name.Contains("/data/", StringComparison.Ordinal)).HeaderOffset])
        {
            byte[] absurd = [.. bundle];
            Span<byte> header = absurd.AsSpan((int)at, 512);
            "77777777777"u8.CopyTo(header[124..]);
            header.Slice(148, 8).Fill((byte)' ');
            int sum = 0;
            foreach (byte b in header)
            {
                sum += b;
            }

            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
            SeedRefusedException refused = await Assert.ThrowsAsync<SeedRefusedException>(() => bench.VerifyAsync(absurd));
            Assert.Contains("8589934591", refused.Message, StringComparison.Ordinal);
        }
    }

    private static Task<byte[]> ExportSmallAsync(SeedBench bench, FixtureRepository minios) => bench.ExportAsync(new SeedOrder
    {
        Repositories = [minios.Fqrn],
        Tags = ["HEAD4"],
        Scope = "paths",
        WorkingSet = fqrn => SeedPathList.Read("/cvm4/etc/init.d/*", [fqrn]).Value!.ToSet(fqrn, ["HEAD4"]),
    });

    private static List<(string Name, long HeaderOffset, long End)> Entries(byte[] bundle)
    {
        List<(string, long, long)> entries = [];
        for (long at = 0; bundle[at] != 0;)
        {
            TarHeader header = TarHeader.Read(bundle.AsSpan((int)at, 512), out string? problem);
            Assert.Null(problem);
            long end = at + 512 + header.SizeBytes + TarHeader.PaddingAfter(header.SizeBytes);
            entries.Add((header.Name, at, end));
            at = end;
        }

        return entries;
    }

    /// <summary>Offsets in every region of a bundle, ascending.</summary>
    private static SortedSet<int> SampleOffsets(byte[] bundle)
    {
        // Of a header: name, mode, owner, size, time, checksum, type, link's target, magic, owner's name, device, prefix, zeros behind it.
        int[] fields = [0, 30, 100, 108, 116, 124, 135, 136, 148, 156, 157, 257, 263, 265, 297, 329, 345, 480, 500, 511];
        SortedSet<int> offsets = [];
        List<(string Name, long HeaderOffset, long End)> entries = Entries(bundle);
        foreach ((string name, long header, long end) in entries.GroupBy(entry => KindOf(entry.Name))
            .SelectMany(kind => kind.Count() > 1 ? new[] { kind.First(), kind.Last() } : [kind.First()]))
        {
            TarHeader read = TarHeader.Read(bundle.AsSpan((int)header, 512), out _);
            int body = (int)header + 512;
            int size = (int)read.SizeBytes;
            offsets.UnionWith([body, body + (size / 2), body + size - 1]);
            if (end > body + size)
            {
                offsets.Add((int)end - 1);
            }

            // The index's header is refused before anything is stored, that of the last object after all others are.
            if (KindOf(name) is "breakwater-seed/index.json" || end == entries[^1].End)
            {
                offsets.UnionWith(fields.Select(field => (int)header + field));
            }
        }

        int tail = (int)entries[^1].End;
        offsets.UnionWith([tail, tail + 511, tail + 512, bundle.Length - 1]);
        var random = new Random(7);
        offsets.UnionWith(Enumerable.Range(0, 8).Select(_ => random.Next(bundle.Length)));
        return offsets;
    }

    /// <summary>Objects by the letter of their kind (P: none, or a piece of a file), all else by its own name.</summary>
    private static string KindOf(string name) =>
        !name.Contains("/data/", StringComparison.Ordinal) ? name : name[^1] is 'X' or 'H' or 'C' ? name[^1..] : "P";
}
