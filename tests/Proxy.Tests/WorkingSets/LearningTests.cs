using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.WorkingSets;

public sealed class LearningTests
{
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Learn_ThreeBootsTwoBehindOneAddressAmongOtherTraffic_GivesExactlyTheBootsObjects()
    {
        WorkingSet set = await LearnThreeBoots();

        Assert.Equal(3, set.Boots);
        Assert.Equal(MiniOs.Sorted(MiniOs.BootObjects(1)), MiniOs.Sorted(await MiniOs.Resolve(set, 1)));
        Assert.All(set.Entries, entry => Assert.NotNull(entry.Path));
        Assert.All(set.Entries, entry => Assert.Equal(1, entry.Share));
    }

    [Fact]
    public async Task Resolve_LearnedSetAtTheNextRevision_NeedsExactlyWhatItsBootAsksFor()
    {
        WorkingSet set = await LearnThreeBoots();

        List<ObjectKey> resolved = await MiniOs.Resolve(set, 2);

        Assert.Equal(MiniOs.Sorted(MiniOs.BootObjects(2)), MiniOs.Sorted(resolved));
        Assert.Equal(13, resolved.Except(MiniOs.BootObjects(1)).Count());
    }

    [Fact]
    public async Task Learn_BootOfATag_FollowsTheTagsThatShowedItsSnapshot()
    {
        WorkingSet set = await LearnThreeBoots();

        Assert.Equal(["HEAD4", "v1"], set.Snapshots);
        BootProfile later =
            await MiniOs.Profile(new RecordedBoot(MiniOs.Fqrn, [.. MiniOs.BootObjects(2).Select(key => new BootRead(key, TimeSpan.Zero))]),
            2);
        BootProfile earlier =
            await MiniOs.Profile(new RecordedBoot(MiniOs.Fqrn, [.. MiniOs.BootObjects(1).Select(key => new BootRead(key, TimeSpan.Zero))]),
            1);
        Assert.Equal(["HEAD4"], BootMerge.Merge(MiniOs.Fqrn, "boot", [earlier, later], Now).Snapshots);
    }

    [Fact]
    public async Task Learn_Directories_OfWhichNearlyAllIsRead_BelongWhole()
    {
        WorkingSet set = await LearnThreeBoots();

        // 40 of 40 scripts and 5 of 5 libraries; but 99 of 120 modules.
        Assert.Contains("/cvm4/etc/init.d", set.WholeDirectories);
        Assert.Contains("/cvm4/lib", set.WholeDirectories);
        Assert.DoesNotContain("/cvm4/usr/lib/modules", set.WholeDirectories);
    }

    [Fact]
    public async Task Learn_FilesThatOneBootOfThreeReads_AreNoise()
    {
        List<ObjectKey> keys = MiniOs.BootObjects(1);
        ObjectKey rare = keys.Last(key => key.Kind == 0);
        List<BootProfile> profiles = [];
        foreach (bool all in (bool[])[true, false, false])
        {
            profiles.Add(await MiniOs.Profile(
                new RecordedBoot(MiniOs.Fqrn,
                [.. keys.Where(key => all || key != rare).Select((key, i) => new BootRead(key, TimeSpan.FromMilliseconds(i)))]), 1));
        }

        WorkingSet set = BootMerge.Merge(MiniOs.Fqrn, "boot", profiles, Now);

        Assert.Equal(profiles[1].Entries.Count, set.Entries.Count);
    }

    [Fact]
    public async Task Merge_WarmRebootAmongBoots_DoesNotShrinkTheSet()
    {
        List<ObjectKey> keys = MiniOs.BootObjects(1);
        BootProfile whole = await Of(keys);
        BootProfile warm = await Of(keys.Take(14));

        WorkingSet set = BootMerge.Merge(MiniOs.Fqrn, "boot", [whole, warm, warm], Now);

        Assert.Equal(whole.Entries.Count, set.Entries.Count);
        Assert.Equal(1, set.Boots);

        static Task<BootProfile> Of(IEnumerable<ObjectKey> reads) =>
            MiniOs.Profile(new RecordedBoot(MiniOs.Fqrn, [.. reads.Select(key => new BootRead(key, TimeSpan.Zero))]), 1);
    }

    [Fact]
    public async Task Merge_DifferentOrders_TakesTheMedian()
    {
        List<ObjectKey> keys = MiniOs.BootObjects(1);
        BootProfile ordinary =
            await MiniOs.Profile(
            new RecordedBoot(MiniOs.Fqrn, [.. keys.Select((key, i) => new BootRead(key, TimeSpan.FromMilliseconds(i)))]), 1);
        BootProfile reversed = ordinary with { Entries = [.. ordinary.Entries.Reverse()] };

        WorkingSet set = BootMerge.Merge(MiniOs.Fqrn, "boot", [ordinary, reversed, ordinary], Now);

        Assert.Equal(ordinary.Entries.Select(entry => entry.Path), set.Entries.Select(entry => entry.Path));
        Assert.Equal(ordinary.Entries.Select(entry => entry.Offset), set.Entries.Select(entry => entry.Offset));
    }

    [Fact]
    public void Recorder_SecondConnectionOfAVm_JoinsTheBootThatLacksTheObject()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits());
        List<ObservedRequest> boot = [.. MiniOs.Replay(1, "10.0.0.1", "first", TimeSpan.Zero, TimeSpan.FromMilliseconds(5))];
        for (int i = 0; i < boot.Count; i++)
        {
            recorder.Observe(i < 10 || i % 3 == 0 ? boot[i] : boot[i] with { Connection = "connection" + (i % 3) });
        }

        RecordedBoot recorded = Assert.Single(recorder.TakeFinished(TimeSpan.FromHours(1)));
        Assert.Equal(MiniOs.BootObjects(1), recorded.Reads.Select(read => read.Key));
    }

    [Fact]
    public void Recorder_TwoVmsBehindOneAddressWithManyConnections_MissNothing()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits());
        foreach (ObservedRequest request in Interleave(
            MiniOs.Replay(1, "10.0.0.1", "a0", TimeSpan.Zero, TimeSpan.FromMilliseconds(7)),
            MiniOs.Replay(1, "10.0.0.1", "b0", TimeSpan.FromMilliseconds(60), TimeSpan.FromMilliseconds(9))))
        {
            int connection = request.Object is null || request.At < TimeSpan.FromMilliseconds(150)
                ? 0
                : request.Object.Value.GetHashCode() & 3;
            recorder.Observe(request with { Connection = $"{request.Connection[0]}{connection}" });
        }

        IReadOnlyList<RecordedBoot> boots = recorder.TakeFinished(TimeSpan.FromHours(1));
        Assert.Equal(2, boots.Count);
        Assert.All(boots, boot => Assert.Equal(MiniOs.Sorted(MiniOs.BootObjects(1)), MiniOs.Sorted(boot.Reads.Select(read => read.Key))));
    }

    [Fact]
    public void Recorder_RebootWithoutManifest_BeginsAtItsRootCatalog()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits());
        foreach (ObservedRequest request
            in MiniOs.Replay(1, "10.0.0.1", "reboot", TimeSpan.Zero, TimeSpan.FromMilliseconds(5))
            .Where(r => r.Object?.Kind is not (null or ObjectKind.Certificate or ObjectKind.History)))
        {
            recorder.Observe(request);
        }

        RecordedBoot boot = Assert.Single(recorder.TakeFinished(TimeSpan.FromHours(1)));
        Assert.Equal(MiniOs.Manifest(1).RootCatalog, boot.RootCatalog);
        Assert.False(boot.HasReadHistory);
    }

    [Fact]
    public void Recorder_MountedVmThatLooksAtTheManifest_IsNoBoot()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits());
        var client = IPAddress.Parse("10.0.0.1");
        for (int i = 0; i < 50; i++)
        {
            recorder.Observe(new ObservedRequest(MiniOs.Fqrn, null, client, "long-lived", TimeSpan.FromSeconds(i)));
        }

        Assert.Empty(recorder.TakeFinished(TimeSpan.FromHours(1)));
    }

    [Fact]
    public void Recorder_Storm_RecordsOnlyAFewBoots()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits { MaxBootsAtOnce = 3 });
        for (int vm = 0; vm < 100; vm++)
        {
            foreach (ObservedRequest request
                in MiniOs.Replay(1, $"10.0.1.{vm}", "c" + vm, TimeSpan.Zero, TimeSpan.FromMilliseconds(1)).Take(30))
            {
                recorder.Observe(request);
            }
        }

        Assert.Equal(3, recorder.TakeFinished(TimeSpan.FromHours(1)).Count);
    }

    [Fact]
    public void Recorder_BootStillRunning_IsNotHandedOut()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits());
        foreach (ObservedRequest request in MiniOs.Replay(1, "10.0.0.1", "c", TimeSpan.Zero, TimeSpan.FromMilliseconds(5)))
        {
            recorder.Observe(request);
        }

        Assert.Empty(recorder.TakeFinished(TimeSpan.FromSeconds(5)));
        Assert.Single(recorder.TakeFinished(TimeSpan.FromSeconds(30)));
        Assert.Empty(recorder.TakeFinished(TimeSpan.FromHours(1)));
    }

    [Fact]
    public void Recorder_BootThatGoesOnAfterAPause_IsHandedOutAgainWhole()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits());
        List<ObservedRequest> boot = [.. MiniOs.Replay(1, "10.0.0.1", "c", TimeSpan.Zero, TimeSpan.FromMilliseconds(5))];
        boot[..60].ForEach(request => recorder.Observe(request));
        RecordedBoot part = Assert.Single(recorder.TakeFinished(TimeSpan.FromSeconds(30)));
        Assert.Empty(recorder.TakeFinished(TimeSpan.FromSeconds(40)));

        boot[60..].ForEach(request => recorder.Observe(request with { At = request.At + TimeSpan.FromSeconds(50) }));
        RecordedBoot whole = Assert.Single(recorder.TakeFinished(TimeSpan.FromSeconds(100)));

        Assert.True(part.Reads.Count < whole.Reads.Count);
        Assert.Equal(MiniOs.BootObjects(1), whole.Reads.Select(read => read.Key));
        Assert.Equal((part.Id, false, false), (whole.Id, part.IsCut, whole.IsCut));
    }

    [Fact]
    public void Recorder_BootLongerThanTheWindow_SaysThatItIsCut()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits { Window = TimeSpan.FromSeconds(10) });
        foreach (ObservedRequest request in MiniOs.Replay(1, "10.0.0.1", "c", TimeSpan.Zero, TimeSpan.FromMilliseconds(100)).Take(100))
        {
            recorder.Observe(request);
        }

        Assert.True(Assert.Single(recorder.TakeFinished(TimeSpan.FromSeconds(12))).IsCut);
        Assert.Empty(recorder.TakeFinished(TimeSpan.FromHours(1)));
    }

    /// <summary>Whatever clients do, each request is assigned in a bounded time, and what is remembered is bounded.</summary>
    [Fact]
    public void Sorter_HostileRequests_KeepsItsBounds()
    {
        var random = new Random(16);
        var limits = new BootSorterLimits { MaxBoots = 50, MaxBootsOfAddress = 5, MaxConnections = 3, MaxSeenBytes = 64 << 10 };
        int pressed = 0;
        var sorter = new BootSorter<TestBoot>(limits, first => new TestBoot(first), _ => pressed++);
        byte[] digest = new byte[20];
        for (int i = 0; i < 200_000; i++)
        {
            BitConverter.TryWriteBytes(digest, random.Next(3000));
            ObjectKey? key = random.Next(20) == 0
                ? null
                : new ObjectKey(digest, DigestAlgorithm.Sha1, random.Next(10) == 0 ? ObjectKind.Catalog : ObjectKind.Plain);
            sorter.Assign(
                new ObservedRequest(Fqrn.Parse("r" + random.Next(3)), key, new IPAddress(random.Next(40)), "c" + random.Next(5000),
                TimeSpan.FromMilliseconds(i)), out _);
            if (random.Next(500) == 0 && sorter.Boots.FirstOrDefault() is { } oldest)
            {
                sorter.End(oldest);
                sorter.End(oldest);
            }
        }

        TestBoot[] boots = [.. sorter.Boots];
        Assert.Equal(sorter.Count, boots.Length);
        Assert.InRange(boots.Length, 1, limits.MaxBoots);
        Assert.All(boots.GroupBy(boot => (boot.Repository, boot.Client)),
            group => Assert.InRange(group.Count(), 1, limits.MaxBootsOfAddress));
        Assert.All(boots, boot => Assert.InRange(boot.Connections.Count, 1, limits.MaxConnections));
        Assert.True(boots.Sum(boot => boot.Seen.Bytes) <= limits.MaxSeenBytes);
        Assert.True(pressed > 0);
        Assert.InRange(sorter.Looks, 1, 200_000L * limits.MaxBootsOfAddress);
        Array.ForEach(boots, sorter.End);
        Assert.Equal(0, sorter.Count);
        Assert.All(boots, boot => Assert.Null(sorter.BoundTo(boot.Repository, boot.Owner)));
    }

    private static BootRecorder RecorderOf(BootRecorderLimits limits) =>
        new(limits, static _ => true, static (fqrn, catalog) => fqrn != MiniOs.Fqrn || catalog == MiniOs.Manifest(1).RootCatalog);

    private sealed class TestBoot(in ObservedRequest first) : SortedBoot(first, 1000);

    private static async Task<WorkingSet> LearnThreeBoots()
    {
        BootRecorder recorder = RecorderOf(new BootRecorderLimits());
        foreach (ObservedRequest request in Interleave(
            MiniOs.Replay(1, "10.0.0.1", "one", TimeSpan.Zero, TimeSpan.FromMilliseconds(11)),
            MiniOs.Replay(1, "10.0.0.7", "two", TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(3)),
            MiniOs.Replay(1, "10.0.0.7", "three", TimeSpan.FromMilliseconds(45), TimeSpan.FromMilliseconds(29)),
            OtherRepository("10.0.0.1", "one"),
            OtherRepository("10.0.0.7", "other")))
        {
            recorder.Observe(request);
        }

        List<BootProfile> profiles = [];
        foreach (RecordedBoot boot in recorder.TakeFinished(TimeSpan.FromHours(1)).Where(boot => boot.Repository.ToString() == MiniOs.Name))
        {
            profiles.Add(await MiniOs.Profile(boot, 1));
        }

        return BootMerge.Merge(MiniOs.Fqrn, "boot", profiles, Now);
    }

    private static IEnumerable<ObservedRequest> OtherRepository(string client, string connection) =>
        Repositories.Fixture.Load("tiny.example.org") is var tiny
            ? Enumerable.Range(0, 300).Select(i => new ObservedRequest(
                Fqrn.Parse(tiny.Name), i % 20 == 0 ? null : MiniOs.BootObjects(1)[i % 200], IPAddress.Parse(client), connection,
                TimeSpan.FromMilliseconds(i * 10)))
            : [];

    private static IEnumerable<ObservedRequest> Interleave(params IEnumerable<ObservedRequest>[] streams) =>
        streams.SelectMany(stream => stream).OrderBy(request => request.At);
}
