using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Storms;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Storms;

public class BootTimelinesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly BootTimelines _boots = new();

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

        Assert.Equal(new StormView(0, 4, 1, _boots.Storm().StartedAt, null, _boots.Storm().MedianMs, _boots.Storm().MaxMs), _boots.Storm());
        Assert.Equal("10.0.0.5", Assert.Single(_boots.List(10), b => b.State == BootState.Stopped).Client);
    }

    [Fact]
    public void Boot_AgainFromTheSameAddress_IsAnother()
    {
        Boot(1, 20);
        Boot(1, 20);

        Assert.Equal(2, _boots.List(10).Count);
        Assert.Equal(1, _boots.Storm().Booting);
    }

    [Fact]
    public void Check_OfAManifestAlone_IsNoBoot()
    {
        Boot(1, 0);
        _time.Advance(TimeSpan.FromSeconds(20));
        Pump();

        Assert.Empty(_boots.List(10));
    }

    [Fact]
    public void Details_BeyondTheBudget_AreGivenUpOldestFirst()
    {
        for (int vm = 1; vm <= 250; vm++)
        {
            Boot(vm, 1500);
        }

        IReadOnlyList<BootView> boots = _boots.List(1000);
        Assert.Equal(250, boots.Count);
        Assert.Empty(_boots.Find(boots.Min(b => b.Id))!.Value.Requests);
        Assert.Equal(1500, _boots.Find(boots.Max(b => b.Id))!.Value.Requests.Count);
        Assert.True(boots.Sum(b => (long)_boots.Find(b.Id)!.Value.Requests.Count) <= BootTimelines.MaxDetails + 1500);
    }

    [Fact]
    public void Details_OfBootsThatWereNone_AreGoneWithThem()
    {
        for (int day = 0; day < 2_000; day++)
        {
            Boot(day % 200, 5); // a check of the manifest and some files, all day
            _time.Advance(TimeSpan.FromSeconds(20));
            Pump();
        }

        Assert.Equal((0, 0, 0, 0L), _boots.Held);
    }

    [Fact]
    public void Details_WithLongHints_StayWithinTheirBytes()
    {
        string hint = new('x', 15_000);
        for (int vm = 1; vm <= 100; vm++)
        {
            Pump([Record(vm, null), .. Enumerable.Range(0, 1500).Select(i => Record(vm, i, hint))]);
            Assert.True(_boots.Held.TextBytes <= BootTimelines.MaxDetailTextBytes);
        }

        Assert.Equal(100, _boots.List(1000).Count);
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
        _time.Advance(TimeSpan.FromSeconds(20));
        Pump();
        Assert.Equal((0, 0, 0, 0L), _boots.Held);
    }

    private void Boot(int vm, int objects)
    {
        var records = new List<RequestRecord> { Record(vm, null) };
        for (int i = 0; i < objects; i++)
        {
            records.Add(Record(vm, i));
        }

        Pump([.. records]);
    }

    private void Pump(params RequestRecord[] records) => _boots.Take(records, new RecordClock(_time, _time.GetUtcNow(), _time.GetTimestamp()));

    private RequestRecord Record(int vm, int? number, string? hint = null)
    {
        Span<byte> digest = stackalloc byte[20];
        BitConverter.TryWriteBytes(digest, number ?? 0);
        long now = _time.GetTimestamp();
        return new RequestRecord
        {
            StartedAt = now,
            AnsweredAt = now,
            EndedAt = now,
            Result = RequestResult.Hit,
            Source = ByteSource.Memory,
            Status = 200,
            BytesSent = 100,
            Client = new IPAddress([10, 0, (byte)(vm >> 8), (byte)vm]),
            Fqrn = "a.example.org",
            PathHint = hint,
            HasKey = number is not null,
            Key = number is null ? default : new ObjectKey(digest, DigestAlgorithm.Sha1, 0),
            Target = number is null ? "/cvmfs/a.example.org/.cvmfspublished" : null,
        };
    }
}
