using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Boots;

public class BootTimelinesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly BootTimelines _boots = new(new WorkingSetOptions());
    private int _connections;

    [Fact]
    public void Boot_StoppedHalfWay_IsMarkedAgainstItsPeers()
    {
        for (int vm = 1; vm <= 4; vm++)
        {
            Boot(vm, 100);
        }

        Boot(5, 40);
        _time.Advance(TimeSpan.FromSeconds(20));
        Pump();

        StormView storm = _boots.Snapshot().Newest;
        Assert.Equal((0, 4, 1, null), (storm.Booting, storm.Done, storm.Stopped, storm.EstimatedEnd));
        Assert.Equal("10.0.0.5", Assert.Single(List(), b => b.State == BootState.Stopped).Client);
    }

    [Fact]
    public void Boot_AgainFromTheSameAddress_IsAnother()
    {
        Boot(1, 20);
        Boot(1, 20);

        Assert.Equal(2, List().Count);
        Assert.Equal(2, _boots.Snapshot().Newest.Booting); // perhaps another VM behind the same address
    }

    [Fact]
    public void Check_OfAManifestAlone_IsNoBoot()
    {
        Boot(1, 0);
        _time.Advance(TimeSpan.FromSeconds(20));
        Pump();

        Assert.Empty(List());
    }

    [Fact]
    public void Details_BeyondTheBudget_AreGivenUpOldestFirst()
    {
        for (int vm = 1; vm <= 250; vm++)
        {
            Boot(vm, 1500);
        }

        IReadOnlyList<BootView> boots = List();
        Assert.Equal(250, boots.Count);
        Assert.Empty(_boots.Find(boots.Min(b => b.Id))!.Value.Requests);
        Assert.Equal(1500, _boots.Find(boots.Max(b => b.Id))!.Value.Requests.Count);
        Assert.True(boots.Sum(b => (long)_boots.Find(b.Id)!.Value.Requests.Count) <= BootTimelines.MaxDetails + 1500);
    }

    [Fact]
    public void Boot_PausedInTheMiddle_IsOneAndNotStopped()
    {
        WholeBoots(4, 100);
        string connection = Connect();
        Pump([Record(9, null, connection), .. Read(9, 0..40, connection)]);
        Pass(seconds: 10);
        Assert.Equal(BootState.Booting, Of(9).State);

        Pump(Read(9, 40..100, connection));
        Pass(seconds: 30);

        Assert.Equal((BootState.Done, 100, TimeSpan.FromSeconds(10)),
            (Of(9).State, Of(9).Objects, TimeSpan.FromMilliseconds(Of(9).DurationMs)));
        Assert.Equal(0, _boots.Snapshot().Newest.Stopped);
    }

    [Fact]
    public void Boot_StoppedThatGoesOnAfterAll_IsDone()
    {
        WholeBoots(4, 100);
        string connection = Connect();
        Pump([Record(9, null, connection), .. Read(9, 0..40, connection)]);
        Pass(seconds: 60);
        Assert.Equal(BootState.Stopped, Of(9).State);

        Pump(Read(9, 40..100, connection));
        Assert.Equal(BootState.Booting, Of(9).State);
        Pass(seconds: 30);
        Assert.Equal((BootState.Done, 100), (Of(9).State, Of(9).Objects));
    }

    [Fact]
    public void Boots_OfTwoVmsBehindOneAddress_StayApart()
    {
        WholeBoots(4, 100);
        (string a, string b, string more) = (Connect(), Connect(), Connect());
        Pump([Record(9, null, a), .. Read(9, 0..60, a), Record(9, null, b), .. Read(9, 0..60, b)]);
        for (int i = 60; i < 100; i++)
        {
            Pump([Record(9, i, a), Record(9, i, i % 2 == 0 ? b : more)]);
        }

        Pass(seconds: 30);

        BootView[] boots = [.. List().Where(boot => boot.Client == "10.0.0.9")];
        Assert.Equal([100, 100], boots.Select(boot => boot.Objects));
        Assert.All(boots, boot => Assert.Equal(BootState.Done, boot.State));
    }

    [Fact]
    public void Boot_WithFewerModules_IsDone()
    {
        WholeBoots(4, 100);
        string connection = Connect();
        Pump([Record(9, null, connection), .. Read(9, 0..100, connection).Where((_, i) => i % 4 != 3)]);
        Pass(seconds: 30);

        Assert.Equal((BootState.Done, 75), (Of(9).State, Of(9).Objects));
    }

    [Fact]
    public void Boot_OfAnotherImageThatReadsLess_IsDone()
    {
        WholeBoots(4, 100);
        string connection = Connect();
        Pump([Record(9, null, connection), .. Read(9, 1000..1030, connection)]);
        Pass(seconds: 30);

        Assert.Equal(BootState.Done, Of(9).State);
    }

    [Fact]
    public void Boot_ThatWeFailed_IsStoppedAtOnce()
    {
        string connection = Connect();
        Pump([Record(9, null, connection), .. Read(9, 0..40, connection), Record(9, 40, connection, status: 504)]);
        Pass(seconds: 9);

        Assert.Equal(BootState.Stopped, Of(9).State);
    }

    [Fact]
    public void Boot_StoppedBeforeAnyOtherWasWhole_IsJudgedWhenTheyAre()
    {
        string connection = Connect();
        Pump([Record(9, null, connection), .. Read(9, 0..40, connection)]);
        Pass(seconds: 21);
        Assert.Equal(BootState.Done, Of(9).State);

        WholeBoots(4, 100);

        Assert.Equal(BootState.Stopped, Of(9).State);
    }

    /// <summary>A round compares no more than 5 million objects: 416 boots with eight of 1,500. The others come in the next.</summary>
    [Fact]
    public void Boots_MoreThanARoundMayCompare_AreJudgedInTheNextRounds()
    {
        for (int vm = 1; vm <= 500; vm++)
        {
            Boot(1000 + vm, 40);
        }

        Pass(seconds: 21);
        Assert.All(List(), boot => Assert.Equal(BootState.Done, boot.State));
        for (int vm = 1; vm <= 8; vm++)
        {
            Boot(vm, 1500);
        }

        for (int second = 0; second < 30 && Stopped() == 0; second++)
        {
            Pass(seconds: 1);
        }

        Assert.InRange(Stopped(), 400, 420);
        Pass(seconds: 1);
        Assert.Equal(500, Stopped());

        int Stopped() => List().Count(boot => boot.State == BootState.Stopped);
    }

    [Fact]
    public void Requests_OfAnotherCache_AreNoBoot()
    {
        Pump([Record(9, null, null), .. Read(9, 0..100, null)]);

        Assert.Empty(List());
        Assert.False(BootClient.MayBoot("breakwater/1.0.0"u8));
        Assert.True(BootClient.MayBoot("cvmfs Fuse 2.11.5"u8));
    }

    /// <summary>What a hostile client can do to the pump: end boots as fast as it asks. What is kept of them has a bound.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5000)]
    public void Boots_OfTenRequestsWithoutEnd_KeepTheirBound(int addresses)
    {
        for (int round = 0; round < 15; round++)
        {
            List<RequestRecord> records = [];
            for (int boot = 0; boot < 1000; boot++)
            {
                int vm = ((round * 1000) + boot) % addresses;
                string connection = Connect();
                records.Add(Record(vm, null, connection));
                records.AddRange(Read(vm, 0..10, connection));
            }

            Pump([.. records]);
            _time.Advance(TimeSpan.FromMilliseconds(20));
        }

        Assert.InRange(_boots.Held.Boots, 1, BootTimelines.MaxBoots);
        Assert.Equal(BootTimelines.MaxBoots, List().Count);
    }

    [Fact]
    public void Details_OfBootsThatWereNone_AreGoneWithThem()
    {
        for (int day = 0; day < 2_000; day++)
        {
            Boot(day % 200, 5); // a check of the manifest and some files, all day
            _time.Advance(TimeSpan.FromSeconds(20));
            Pump();
            Assert.InRange(_boots.Held.Boots, 0, 20);
        }

        _time.Advance(new WorkingSetOptions().BootWindow);
        Pump();
        Assert.Equal((0, 0, 0, 0L), _boots.Held);
    }

    [Fact]
    public void Details_WithLongHints_StayWithinTheirBytes()
    {
        string hint = new('x', 15_000);
        for (int vm = 1; vm <= 100; vm++)
        {
            string connection = Connect();
            Pump([Record(vm, null, connection), .. Enumerable.Range(0, 1500).Select(i => Record(vm, i, connection, hint: hint))]);
            Assert.True(_boots.Held.TextBytes <= BootTimelines.MaxDetailTextBytes);
        }

        Assert.Equal(100, List().Count);
    }

    [Fact]
    public void Boots_MoreThanAreKept_LeaveNothingBehind()
    {
        for (int vm = 1; vm <= BootTimelines.MaxBoots + 3_000; vm++)
        {
            Boot(vm, 1);
        }

        Assert.Equal(BootTimelines.MaxBoots, _boots.Held.Boots);
        Assert.Equal(BootTimelines.MaxBoots, _boots.Held.Detailed);
        _time.Advance(new WorkingSetOptions().BootWindow);
        Pump();
        Assert.Equal((0, 0, 0, 0L), _boots.Held);
    }

    [Theory]
    [InlineData(7, false)]
    [InlineData(8, true)]
    public void Boot_ThatPauses_IsDoneToTheSecond(int seconds, bool isDone)
    {
        Pump();
        _time.Advance(TimeSpan.FromSeconds(1));
        Boot(9, 20);
        Pass(seconds);

        Assert.Equal(isDone ? BootState.Done : BootState.Booting, Of(9).State);
    }

    [Fact]
    public void Boot_ThatFallsSilentAgainAndAgain_IsNoMoreThanOneToCompareWith()
    {
        string connection = Connect();
        Pump(Record(1, null, connection));
        for (int part = 0; part < 4; part++)
        {
            Pump(Read(1, (part * 25)..((part + 1) * 25), connection));
            Pass(seconds: 25);
        }

        string other = Connect();
        Pump([Record(9, null, other), .. Read(9, 0..40, other)]);
        Pass(seconds: 25);

        Assert.Equal((100, BootState.Done), (Of(1).Objects, Of(9).State));
    }

    /// <summary>Boots of just as many objects as are a boot: shown by their last request.</summary>
    [Fact]
    public void Boots_EachWithinThePauseOfTheOneBefore_AreOneStorm()
    {
        for (int vm = 1; vm <= 4; vm++)
        {
            Boot(vm, 10);
            _time.Advance(TimeSpan.FromSeconds(20));
        }

        Assert.Equal([4], _boots.Snapshot().Storms.Select(storm => storm.Boots));
    }

    [Fact]
    public void Storm_LastsAsLongAsItsLongestAnswer()
    {
        BootFeed feed = new();
        feed.Pump([feed.Record(1, null, "A", 0, 1),
            .. Enumerable.Range(0, 10).Select(i => feed.Record(1, i, "A", 0, i < 9 ? 1 : 25_000))]);
        feed.Boot(2, 10); // over long before
        feed.Time.Advance(TimeSpan.FromSeconds(50));
        feed.Boot(3, 10);
        feed.Time.Advance(TimeSpan.FromSeconds(31));
        feed.Boot(4, 10);

        BootSnapshot now = feed.Now;
        Assert.Equal([1, 3], now.Storms.Select(storm => storm.Boots));
        Assert.Equal([1, 3], now.Storms.Select(storm => now.Of(storm).Count()));
        Assert.Empty(now.Of(now.Newest with { Id = 99 }));
    }

    /// <summary>Four boots that are over.</summary>
    private void WholeBoots(int count, int objects)
    {
        for (int vm = 1; vm <= count; vm++)
        {
            Boot(vm, objects);
        }

        Pass(seconds: 21);
        Pass(seconds: 1);
    }

    /// <summary>All boots that are shown.</summary>
    private IReadOnlyList<BootView> List() => _boots.Views(_boots.Snapshot().Boots.Select(boot => boot.Id));

    private BootView Of(int vm) => Assert.Single(List(), boot => boot.Client == $"10.0.0.{vm}");

    private string Connect() => $"C{_connections++}";

    private void Pass(int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Pump();
        }
    }

    private RequestRecord[] Read(int vm, Range objects, string? connection) =>
        [.. Enumerable.Range(objects.Start.Value, objects.End.Value - objects.Start.Value).Select(i => Record(vm, i, connection))];

    private void Boot(int vm, int objects)
    {
        string connection = Connect();
        Pump([Record(vm, null, connection), .. Read(vm, 0..objects, connection)]);
    }

    private void Pump(params RequestRecord[] records) =>
        _boots.Take(records, new RecordClock(_time, _time.GetUtcNow(), _time.GetTimestamp()));

    private RequestRecord Record(int vm, int? number, string? connection, short status = 200, string? hint = null)
    {
        Span<byte> digest = stackalloc byte[20];
        BitConverter.TryWriteBytes(digest, number ?? 0);
        long now = _time.GetTimestamp();
        return new RequestRecord
        {
            StartedAt = now,
            AnsweredAt = now,
            EndedAt = now,
            Result = status == 200 ? RequestResult.Hit : RequestResult.Failed,
            Source = ByteSource.Memory,
            Status = status,
            BytesSent = 100,
            Client = new IPAddress([10, 0, (byte)(vm >> 8), (byte)vm]),
            Connection = connection,
            Fqrn = Breakwater.Repositories.Fqrn.Parse("a.example.org"),
            PathHint = hint,
            HasKey = number is not null,
            Key = number is null ? default : new ObjectKey(digest, DigestAlgorithm.Sha1, 0),
            Target = number is null ? "/cvmfs/a.example.org/.cvmfspublished" : null,
        };
    }
}
