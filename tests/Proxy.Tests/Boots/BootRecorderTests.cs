using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Boots;

/// <summary>When a recorded boot is handed out, and how much of it: the limits from both sides.</summary>
public sealed class BootRecorderTests
{
    private static readonly Fqrn s_repository = Fqrn.Parse("a.example.org");
    private static readonly BootRecorderLimits s_limits = new()
    {
        Window = TimeSpan.FromSeconds(100),
        Silence = TimeSpan.FromSeconds(20),
        MaxBootsAtOnce = 2,
        MinReads = 3,
        MaxReads = 6,
        MaxLooksAtOnce = 4,
    };

    private readonly BootRecorder _recorder = new(s_limits, static _ => true, static (_, catalog) => catalog == Key(0));

    [Theory]
    [InlineData(3, 19.999, 0)]
    [InlineData(3, 20, 1)]
    [InlineData(2, 20, 0)]          // a look at some files
    public void Boot_ThatFellSilent_IsHandedOutWhenItHasReadEnough(int reads, double silence, int handedOut)
    {
        Boot("a", 0, reads);

        IReadOnlyList<RecordedBoot> over = _recorder.TakeFinished(TimeSpan.FromSeconds(silence));

        Assert.Equal(handedOut, over.Count);
        Assert.All(over, boot => Assert.Equal(
            (1, "10.0.0.1", false, reads), (boot.Id, boot.Client!.ToString(), boot.IsCut, boot.Reads.Count)));
    }

    [Theory]
    [InlineData(99.999, false)]
    [InlineData(100, true)]
    public void Boot_AtTheEndOfTheWindow_IsRecordedNoLonger(double seconds, bool isOver)
    {
        Boot("a", 0, 3);

        _recorder.TakeFinished(TimeSpan.FromSeconds(seconds));

        Assert.Equal(!isOver, _recorder.Concerns(BootFeed.Key(1)));
        Assert.True(_recorder.Concerns(null));                                      // a manifest, or a catalog, begins one at any time
        Assert.True(_recorder.Concerns(BootFeed.Key(1, ObjectKind.Catalog)));
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(6, true)]           // as many as are recorded: perhaps there were more
    [InlineData(9, true)]
    public void Boot_WithAsManyReadsAsAreRecorded_IsCut(int reads, bool isCut)
    {
        Boot("a", 0, reads);

        RecordedBoot boot = Assert.Single(_recorder.TakeFinished(TimeSpan.FromSeconds(30)));

        Assert.Equal((isCut, Math.Min(reads, 6)), (boot.IsCut, boot.Reads.Count));
    }

    [Fact]
    public void Boot_ThatGoesOnAtTheEndOfTheWindow_IsHandedOutCut()
    {
        Boot("a", 0, 2);
        Read("a", 2, 99);

        RecordedBoot boot = Assert.Single(_recorder.TakeFinished(TimeSpan.FromSeconds(100)));

        Assert.True(boot.IsCut);
        Assert.Equal([0, 0, 99], boot.Reads.Select(read => read.Offset.TotalSeconds));
    }

    [Fact]
    public void Boots_AtOnce_AreRecordedUpToTheirNumberAndPausedOnesFourTimesAsMany()
    {
        int recorded = 0;
        for (int i = 0; i < 6; i++)
        {
            for (int vm = 0; vm < 3; vm++)
            {
                Boot($"{i}/{vm}", i * 20, 3);       // the two before them are silent just long enough
            }

            int now = _recorder.TakeFinished(TimeSpan.FromSeconds((i * 20) + 20)).Count;
            Assert.Equal(i < 4 ? 2 : i == 4 ? 0 : 2, now);
            recorded += now;
        }

        Assert.Equal(10, recorded);
    }

    [Fact]
    public void Boots_ThatNobodyWants_AreNotRecorded()
    {
        BootRecorder recorder = new(s_limits, repository => repository != s_repository, static (_, _) => true);
        recorder.Observe(new ObservedRequest(s_repository, null, IPAddress.Loopback, "a", TimeSpan.Zero));

        Assert.False(recorder.Concerns(BootFeed.Key(1)));
        recorder.Observe(new ObservedRequest(Fqrn.Parse("b.example.org"), null, IPAddress.Loopback, "a", TimeSpan.Zero));
        Assert.True(recorder.Concerns(BootFeed.Key(1)));
    }

    /// <summary>Health checks and mounted clients: they take no place, however many they are.</summary>
    [Fact]
    public void Looks_AtTheManifest_KeepNoBootFromBeingRecorded()
    {
        for (int i = 0; i < 50; i++)
        {
            Look($"check{i}", i * 0.5);
            Read($"check{i}", 0, i * 0.5);
        }

        Boot("a", 25, 3);

        Assert.Equal(1, Over(45));
    }

    /// <summary>Of a storm the first are followed; one of whom nothing more came makes room when a second is over.</summary>
    [Theory]
    [InlineData(0.999, 0)]
    [InlineData(1, 1)]
    public void Looks_AtOnce_AreFollowedUpToTheirNumber(double later, int recorded)
    {
        Look("idle", 0);
        foreach (string followed in (string[])["1", "2", "3"])
        {
            Look(followed, 0);
            Read(followed, 0, 0.5);
        }

        Boot("late", later, 3, "10.0.0.2");
        Assert.Equal(recorded, Over(30));

        Read("1", 1, 30);
        Read("1", 2, 30);
        Assert.Equal(1, Over(50)); // it was followed all the time
    }

    /// <summary>Nothing is learned from what begins amid a boot.</summary>
    [Fact]
    public void Boot_ThatFoundNoPlace_IsNotRecordedFromANestedCatalogOn()
    {
        Boot("a", 0, 3);
        Boot("b", 0, 3);
        Boot("c", 0, 3, "10.0.0.3");
        Assert.Equal(2, Over(20));

        _recorder.Observe(Request("c", BootFeed.Key(7, ObjectKind.Catalog), 21, "10.0.0.3"));
        for (int i = 8; i < 16; i++)
        {
            _recorder.Observe(Request("c", Key(i), 21, "10.0.0.3"));
        }

        Assert.Equal(0, Over(50));
    }

    /// <summary>A mounted client that looks at the manifest and goes on with its work.</summary>
    [Fact]
    public void Client_ThatReadsNoCatalog_TakesNoPlace()
    {
        foreach (string job in (string[])["job1", "job2"])
        {
            Look(job, 0);
            for (int i = 1; i < 5; i++)
            {
                Read(job, i, 0);
            }
        }

        Boot("a", 1, 3);

        Assert.Equal(1, Over(30));
    }

    private void Boot(string connection, double at, int reads, string client = "10.0.0.1")
    {
        _recorder.Observe(Request(connection, null, at, client));
        for (int i = 0; i < reads; i++)
        {
            _recorder.Observe(Request(connection, Key(i), at, client));
        }
    }

    private void Look(string connection, double at) => _recorder.Observe(Request(connection, null, at));

    private void Read(string connection, int number, double at) => _recorder.Observe(Request(connection, Key(number), at));

    private int Over(double at) => _recorder.TakeFinished(TimeSpan.FromSeconds(at)).Count;

    /// <summary>The root catalog, and files.</summary>
    private static ObjectKey Key(int number) => BootFeed.Key(number, number == 0 ? ObjectKind.Catalog : ObjectKind.Plain);

    private static ObservedRequest Request(string connection, ObjectKey? key, double at, string client = "10.0.0.1") =>
        new(s_repository, key, IPAddress.Parse(client), connection, TimeSpan.FromSeconds(at));
}
