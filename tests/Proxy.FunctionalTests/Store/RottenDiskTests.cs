using Breakwater.Proxy.Observability;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Store;

/// <summary>Segment files change below a running proxy: each client gets right bytes, on every path.</summary>
public sealed class RottenDiskTests
{
    public static TheoryData<int> Lengths => [5_000, 60_000, 100_000, 200_000, 900_000, 3_000_000];

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Object_FlippedWhileItIsHot_IsFetchedAgain(int length)
    {
        using TemporaryDirectory directory = new();
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await StartAsync(directory, stratum1);
        SyntheticObject item = await WarmAsync(proxy, stratum1, length);

        StoreFiles.Flip(directory.Combine("store"), item.Bytes);

        for (int i = 0; i < 3; i++)
        {
            RawResponse answer = await proxy.GetAsync(item.Url);
            Assert.Equal(200, answer.Status);
            Assert.Equal(item.Bytes, answer.Body);
        }

        Assert.Equal(2, stratum1.RequestCount(item.Path));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4_096)]
    [InlineData(30_001)]
    public async Task Segments_CutWhileTheyAreHot_ObjectsAreFetchedAgain(long keptBytes)
    {
        using TemporaryDirectory directory = new();
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await StartAsync(directory, stratum1);
        List<SyntheticObject> items = [];
        foreach (int length in Lengths)
        {
            items.Add(await WarmAsync(proxy, stratum1, length));
        }

        foreach (string path in Directory.GetFiles(Path.Combine(directory.Combine("store"), "objects"), "*.seg"))
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(Math.Min(file.Length, keptBytes));
        }

        foreach (SyntheticObject item in items)
        {
            RawResponse answer = await proxy.GetAsync(item.Url);
            Assert.Equal(200, answer.Status);
            Assert.Equal(item.Bytes, answer.Body);
        }
    }

    /// <summary>All that ask when a hot object is to be checked again would else take the ordinary way, ten times as dear.</summary>
    [Theory]
    [InlineData(5_000)]
    [InlineData(100_000)]
    [InlineData(256 << 10)]
    public async Task Object_TouchedWhileItIsHot_IsCheckedAndSentByItsEventLoop(int length)
    {
        using TemporaryDirectory directory = new();
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await StartAsync(directory, stratum1);
        SyntheticObject item = await WarmAsync(proxy, stratum1, length);
        ProxyCounters counters = proxy.Services.GetRequiredService<ProxyCounters>();
        await Waiting.UntilAsync(() => counters.HitPathAnswers > 0);
        long answered = counters.HitPathAnswers;

        foreach (string path in Directory.GetFiles(Path.Combine(directory.Combine("store"), "objects"), "*.seg"))
        {
            File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        }

        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        await Waiting.UntilAsync(() => counters.HitPathAnswers > answered);
    }

    private static Task<ProxyUnderTest> StartAsync(TemporaryDirectory directory, ScriptedUpstream stratum1) =>
        ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Store:Path"] = directory.Combine("store") }, null, stratum1);

    /// <summary>An object that is on disk, was checked, and was sent by the hit path.</summary>
    private static async Task<SyntheticObject> WarmAsync(ProxyUnderTest proxy, ScriptedUpstream stratum1, int length)
    {
        SyntheticObject item = new SyntheticObject(length, length).On(stratum1);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        await Waiting.UntilAsync(() => proxy.Store.Find(item.Key) is not null);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        }

        return item;
    }
}
