using System.Diagnostics.Metrics;
using System.Formats.Asn1;
using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.Snmp;
using Breakwater.Proxy.Observability.Squid;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Observability.Snmp;

public sealed class SnmpResponderTests : IDisposable
{
    private const string Squid = "1.3.6.1.4.1.3495.1.";
    private const string Community = "site-readers";

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly RequestRecorder _recorder;
    private readonly ProxyCounters _counters;
    private readonly SquidHistory _history;
    private readonly SnmpResponder _responder;
    private StoreStatistics _store = new() { Objects = 17, UsedBytes = 3L << 40, QuotaBytes = 4L << 40 };

    public SnmpResponderTests()
    {
        IMeterFactory meters = _services.GetRequiredService<IMeterFactory>();
        _recorder = new RequestRecorder(meters, _time);
        _counters = new ProxyCounters(meters);
        _responder =
            new SnmpResponder(Community, new SquidMib(_recorder, _counters, () => _store, new ProxyOptions { Name = "proxy1" },
                _history = new SquidHistory(_recorder, _counters, _time), () => 3, _time));
    }

    public void Dispose()
    {
        _history.Dispose();
        _counters.Dispose();
        _services.Dispose();
    }

    [Theory]
    [InlineData(SnmpMessages.V1)]
    [InlineData(SnmpMessages.V2c)]
    public void Get_Counters_AreThoseOfTheRecorder(int version)
    {
        Record(RequestResult.Hit, 4096);
        Record(RequestResult.Joined, 2048);
        Record(RequestResult.Miss, 1024);
        Record(RequestResult.Failed, 0);
        _counters.CountUpstreamRequest("s1");
        _counters.CountUpstreamRequest("s2");
        _counters.CountUpstreamFailure("s1", FailureKind.Timeout);
        _counters.CountUpstreamFailure("s1", FailureKind.NotFound);
        _counters.AddUpstreamBytes(5000);
        _time.Advance(TimeSpan.FromSeconds(90));

        SnmpAnswer answer =
            Ask(SnmpMessages.Request(version, Community, SnmpMessages.Get,
            [.. new[] { "3.2.1.1.0", "3.2.1.2.0", "3.2.1.3.0", "3.2.1.5.0", "3.2.1.10.0", "3.2.1.11.0", "3.2.1.12.0", "1.3.0", "3.1.7.0",
            "2.6.0" }.Select(n => Squid + n)]));

        Assert.Equal((version, Community, SnmpMessages.Response, 4711, 0, 0),
            (answer.Version, answer.Community, answer.Operation, answer.RequestId, answer.ErrorStatus, answer.ErrorIndex));
        Assert.Equal(["4", "2", "1", "7", "2", "1", "4", "9000", "17", "proxy1"], answer.Variables.Select(v => v.Value));
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 3, 2, 4], answer.Variables.Select(v => v.Tag));
    }

    [Fact]
    public void Get_TheOtherNames_AreWhatTheyCount()
    {
        Record(RequestResult.Hit, 3000);
        Record(RequestResult.Miss, 1000);
        Record(RequestResult.Failed, 0);
        _store = new StoreStatistics { Objects = 1, UsedBytes = 5 << 10, QuotaBytes = 7L << 20 };

        string[] values = Values("1.2.0", "2.2.0", "2.3.0", "2.5.2.0", "3.2.1.14.0", "3.2.1.15.0", "3.1.13.0");
        Assert.Equal(["5", "breakwater", Telemetry.Version, "7", "5", "3", $"{DescriptorBudget.Limit()}"], values);
        Assert.All(Values("1.1.0", "3.1.3.0", "3.1.6.0", "3.1.12.0"), value => Assert.True(int.Parse(value) > 0));
        Assert.All(Values("3.1.4.0", "3.1.5.0"), value => Assert.True(int.Parse(value) >= 0));
        foreach (int minutes in (int[])[1, 5, 60])
        {
            Assert.Equal([$"{minutes}", "33", "75"], Values($"3.2.2.1.1.{minutes}", $"3.2.2.1.9.{minutes}", $"3.2.2.1.10.{minutes}"));
        }

        string[] Values(params string[] names) => [.. Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get,
            names.Select(name => Squid + name))).Variables.Select(v => v.Value!)];
    }

    /// <summary>Milliseconds of each kind: all, misses, 304s, hits, and what was checked.</summary>
    [Fact]
    public void Get_Medians_AreByTheKindOfAnswer()
    {
        foreach ((RequestResult result, short status, int milliseconds) in ((RequestResult, short, int)[])
            [(RequestResult.Miss, 200, 800), (RequestResult.Hit, 304, 30), (RequestResult.Hit, 200, 7),
            (RequestResult.Revalidated, 200, 200)])
        {
            _recorder.Record(new RequestRecord
            {
                StartedAt = 1,
                EndedAt = 1 + (milliseconds * TimeSpan.TicksPerMillisecond),
                Result = result,
                Status = status,
            });
        }

        foreach ((int column, int milliseconds) in ((int, int)[])[(2, 30), (3, 800), (4, 30), (5, 7), (11, 200)])
        {
            string value = Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get, [$"{Squid}3.2.2.1.{column}.5"]))
                .Variables[0].Value!;
            Assert.InRange(int.Parse(value), milliseconds * 0.85, milliseconds * 1.15);
        }
    }

    [Fact]
    public void GetNext_BehindAName_IsTheNextWithItsValue()
    {
        SnmpVariable next =
            Assert.Single(Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.GetNext, [Squid + "3.2.1.15.0"])).Variables);
        Assert.Equal((Squid + "3.2.2.1.1.1", "1"), (next.Name, next.Value));

        // Two names, the second of which has none behind it.
        SnmpAnswer two = Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.GetNext, [Squid + "2.2", "1.4"]));
        Assert.Equal([Squid + "2.2.0", "1.4"], two.Variables.Select(v => v.Name));
        Assert.Equal((TagClass.ContextSpecific, 2), (two.Variables[1].Class, two.Variables[1].Tag));
        SnmpAnswer v1 = Ask(SnmpMessages.Request(SnmpMessages.V1, Community, SnmpMessages.GetNext, [Squid + "2.2", "1.4"]));
        Assert.Equal((2, 2), (v1.ErrorStatus, v1.ErrorIndex));
    }

    [Fact]
    public void GetBulk_AtTheEndOfTheView_SaysSoOnce()
    {
        SnmpAnswer answer =
            Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.GetBulk, [Squid + "3.2.2.1.11.5"], 0, 10));

        Assert.Equal([Squid + "3.2.2.1.11.60", Squid + "3.2.2.1.11.60"], answer.Variables.Select(v => v.Name));
        Assert.Equal((TagClass.ContextSpecific, 2), (answer.Variables[1].Class, answer.Variables[1].Tag));
    }

    [Fact]
    public void Get_WithoutInstance_AnswersUnderTheNameThatWasAsked()
    {
        Record(RequestResult.Hit, 0);

        SnmpVariable variable =
            Assert.Single(Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get, [Squid + "3.2.1.1"])).Variables);

        Assert.Equal(new SnmpVariable(Squid + "3.2.1.1", TagClass.Application, 1, "1"), variable);
    }

    [Fact]
    public void Get_NumbersBeyondTheirType_WrapOrStayAtTheirBounds()
    {
        _counters.AddUpstreamBytes((1L << 42) + (5 << 10));
        _store = _store with { UsedBytes = long.MaxValue };

        SnmpAnswer answer =
            Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get,
            [Squid + "3.2.1.12.0", Squid + "3.2.1.14.0", Squid + "1.2.0"]));

        Assert.Equal(["5", "4294967295", "2147483647"], answer.Variables.Select(v => v.Value));
    }

    [Fact]
    public void Get_UnknownName_V1RefusesAllAndV2cMarksIt()
    {
        string[] names = [Squid + "3.2.1.1.0", Squid + "9.9.9"];

        SnmpAnswer v1 = Ask(SnmpMessages.Request(SnmpMessages.V1, Community, SnmpMessages.Get, names));
        SnmpAnswer v2c = Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get, names));

        Assert.Equal((2, 2), (v1.ErrorStatus, v1.ErrorIndex));
        Assert.Equal(names, v1.Variables.Select(v => v.Name));
        Assert.Equal(0, v2c.ErrorStatus);
        Assert.Equal((TagClass.ContextSpecific, 0), (v2c.Variables[1].Class, v2c.Variables[1].Tag));
    }

    [Theory]
    [InlineData(SnmpMessages.V1, 2)]
    [InlineData(SnmpMessages.V2c, 17)]
    public void Set_IsRefusedAndChangesNothing(int version, int status)
    {
        SnmpAnswer answer = Ask(SnmpMessages.Request(version, Community, SnmpMessages.Set, [Squid + "3.2.1.1.0"]));

        Assert.Equal((status, 1), (answer.ErrorStatus, answer.ErrorIndex));
        Assert.Equal("0",
            Assert.Single(Ask(SnmpMessages.Request(version, Community, SnmpMessages.Get, [Squid + "3.2.1.1.0"])).Variables).Value);
    }

    [Theory]
    [InlineData(SnmpMessages.V1)]
    [InlineData(SnmpMessages.V2c)]
    public void GetNext_FromTheRoot_WalksEachNameOnceInOrderAndEnds(int version)
    {
        List<string> walked = [];
        string name = "1.3";
        while (true)
        {
            SnmpAnswer answer = Ask(SnmpMessages.Request(version, Community, SnmpMessages.GetNext, [name]));
            SnmpVariable variable = Assert.Single(answer.Variables);
            if (answer.ErrorStatus == 2 || variable is { Class: TagClass.ContextSpecific, Tag: 2 })
            {
                break;
            }

            walked.Add(name = variable.Name);
            Assert.True(walked.Count < 100, "The walk goes in circles.");
        }

        Assert.Equal(47, walked.Count);
        Assert.Equal(walked.OrderBy(n => Version(n), Comparer<int[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))).Distinct(), walked);

        // All but the rows of the table of medians and shares of hits are scalars.
        Assert.All(walked.Where(n => !n.StartsWith(Squid + "3.2.2.1.", StringComparison.Ordinal)),
            n => Assert.EndsWith(".0", n, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(int.MaxValue, 1)]
    [InlineData(int.MaxValue, SnmpRequest.MaxNames)]
    [InlineData(1000, 7)]
    public void GetBulk_AsksForTooMuch_FitsOnePacket(int repetitions, int names)
    {
        byte[] request =
            SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.GetBulk, Enumerable.Repeat("1.3.6.1", names), 0, repetitions);

        byte[] answer = _responder.Answer(request, out _)!;

        Assert.InRange(answer.Length, 200, SnmpResponder.MaxDatagramBytes);
        Assert.Equal(0, SnmpMessages.Read(answer).ErrorStatus);
    }

    [Theory]
    [InlineData(1, 2, 5)]
    [InlineData(0, 0, 0)]
    [InlineData(-5, -5, 0)]
    [InlineData(99, 3, 3)]
    public void GetBulk_NonRepeatersAndRepetitions_AreAsAsked(int nonRepeaters, int repetitions, int expected)
    {
        SnmpAnswer answer =
            Ask(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.GetBulk, Enumerable.Repeat("1.3", 3), nonRepeaters,
            repetitions));

        Assert.Equal(expected, answer.Variables.Count);
    }

    [Fact]
    public void Get_MoreNamesThanFit_IsTooBig()
    {
        string longName = "1.3." + string.Join('.', Enumerable.Repeat("4294967295", 60));
        byte[] request =
            SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get,
            [.. Enumerable.Repeat(longName, 4), .. Enumerable.Repeat(Squid + "2.2.0", 8)]);
        Assert.InRange(request.Length, 1, SnmpResponder.MaxDatagramBytes);

        SnmpAnswer answer = Ask(request);

        Assert.Equal((1, 0), (answer.ErrorStatus, answer.ErrorIndex));
    }

    [Fact]
    public void Answer_WrongCommunityVersionOrShape_IsSilence()
    {
        byte[] right = SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get, [Squid + "3.2.1.1.0"]);
        string[] one = [Squid + "3.2.1.1.0"];

        Assert.Equal(SnmpRefusal.WrongCommunity, Silence(SnmpMessages.Request(SnmpMessages.V2c, Community + "x", SnmpMessages.Get, one)));
        Assert.Equal(SnmpRefusal.WrongCommunity, Silence(SnmpMessages.Request(SnmpMessages.V2c, "", SnmpMessages.Set, one)));
        Assert.Equal(SnmpRefusal.Malformed, Silence(SnmpMessages.Request(3, Community, SnmpMessages.Get, one)));
        Assert.Equal(SnmpRefusal.Malformed, Silence(SnmpMessages.Request(SnmpMessages.V1, Community, SnmpMessages.GetBulk, one)));
        Assert.Equal(SnmpRefusal.Malformed, Silence(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Response, one)));
        Assert.Equal(SnmpRefusal.Malformed, Silence(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get, [])));
        Assert.Equal(SnmpRefusal.Malformed,
            Silence(SnmpMessages.Request(SnmpMessages.V2c, Community, SnmpMessages.Get,
            Enumerable.Repeat("1.3", SnmpRequest.MaxNames + 1))));
        Assert.Equal(SnmpRefusal.Malformed, Silence([.. right, 0]));
        Assert.Equal(SnmpRefusal.Malformed, Silence(right[..^1]));
        Assert.Equal(SnmpRefusal.Malformed, Silence([]));
    }

    /// <summary>
    /// Any bytes, and requests with some bytes changed: silence, or a whole answer that is no longer than a packet. Nothing is thrown.
    /// </summary>
    [Fact]
    public void Answer_AnyBytes_NeverThrowsNorAnswersAtLength() =>
        Gen.OneOf(Gen.Byte.Array[0, 200], Damaged()).Sample(
            bytes =>
            {
                byte[]? answer = _responder.Answer(bytes, out SnmpRefusal refusal);
                if (answer is not null)
                {
                    Assert.InRange(answer.Length, 1, SnmpResponder.MaxDatagramBytes);
                    Assert.Equal(SnmpMessages.Response, SnmpMessages.Read(answer).Operation);
                }

                return answer is null == refusal is not SnmpRefusal.None;
            },
            iter: 50_000);

    private static Gen<byte[]> Damaged() => Gen.Select(
        Gen.Int[0, 3].Select(i => new[] { SnmpMessages.Get, SnmpMessages.GetNext, SnmpMessages.Set, SnmpMessages.GetBulk }[i]),
        Gen.Int[0, 1],
        Gen.Int,
        Gen.Select(Gen.Int[0, 120], Gen.Byte).Array[0, 3],
        (operation, version, repetitions, changes) =>
        {
            byte[] request =
                SnmpMessages.Request(version, Community, operation, [Squid + "3.2.1.1.0", "1.3.6", Squid + "2.2"], 0, repetitions);
            foreach ((int at, byte value) in changes)
            {
                request[at % request.Length] = value;
            }

            return request;
        });

    private static int[] Version(string name) => [.. name.Split('.').Select(int.Parse)];

    private SnmpRefusal Silence(byte[] datagram)
    {
        Assert.Null(_responder.Answer(datagram, out SnmpRefusal refusal));
        return refusal;
    }

    private SnmpAnswer Ask(byte[] request)
    {
        byte[]? answer = _responder.Answer(request, out SnmpRefusal refusal);
        Assert.Equal(SnmpRefusal.None, refusal);
        return SnmpMessages.Read(answer!);
    }

    private void Record(RequestResult result, long bytes) =>
        _recorder.Record(new RequestRecord { StartedAt = 1, EndedAt = 2, Result = result, Status = 200, BytesSent = bytes });
}
