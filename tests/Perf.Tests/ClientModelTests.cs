using System.Security.Cryptography;
using System.Text;
using Breakwater.Laboratory.Client;
using Breakwater.Laboratory.Stratum1;
using Breakwater.Storm.Vms;

namespace Breakwater.Perf.Tests;

/// <summary>The model of the real client, rule by rule.</summary>
public sealed class ClientModelTests
{
    private static readonly RequestHistory s_fresh = new(0, false, HostsLeft: 1, ProxiesLeft: 1);
    private static readonly RequestHistory s_spent = new(1, true, HostsLeft: 0, ProxiesLeft: 0);

    [Theory]
    [InlineData(Failure.ServerError, Step.NextHost, Step.NextHost, Step.GiveUp)]
    [InlineData(Failure.Refused, Step.NextProxy, Step.NextProxy, Step.GiveUp)]
    [InlineData(Failure.TooManyRequests, Step.Retry, Step.NextHost, Step.GiveUp)]
    [InlineData(Failure.Redirected, Step.GiveUp, Step.GiveUp, Step.GiveUp)]
    [InlineData(Failure.Informational, Step.GiveUp, Step.GiveUp, Step.GiveUp)]
    [InlineData(Failure.WrongBody, Step.RetryNoCache, Step.RetryNoCache, Step.GiveUp)]
    [InlineData(Failure.WrongDocument, Step.NextHost, Step.NextHost, Step.GiveUp)]
    [InlineData(Failure.Broken, Step.Retry, Step.NextProxy, Step.GiveUp)]
    [InlineData(Failure.TooSlow, Step.Retry, Step.NextProxy, Step.GiveUp)]
    [InlineData(Failure.NoConnection, Step.NextProxy, Step.NextProxy, Step.GiveUp)]
    [InlineData(Failure.NotHttp, Step.GiveUp, Step.GiveUp, Step.GiveUp)]
    internal void After_Failure_IsTheStepSeenOnTheWire(Failure failure, Step stock, Step micro, Step spent)
    {
        Assert.Equal(stock, ClientRules.After(failure, ClientProfile.Stock, s_fresh));
        Assert.Equal(micro, ClientRules.After(failure, ClientProfile.Micro, s_fresh));
        Assert.Equal(spent, ClientRules.After(failure, ClientProfile.Stock, s_spent));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1023, true)]
    [InlineData(1024, false)]
    [InlineData(50_000, false)]
    public void IsTooSlow_SteadyPace_FromTheSixthSecondOn(int bytesPerSecond, bool tooSlow)
    {
        var watch = new SpeedWatch();
        watch.Begin(0);
        for (int second = 1; second <= 5; second++)
        {
            watch.Bytes += bytesPerSecond;
            Assert.False(watch.IsTooSlow(second * 1_000_000L));
        }

        watch.Bytes += bytesPerSecond;
        Assert.Equal(tooSlow, watch.IsTooSlow(6_000_000));
    }

    [Fact]
    public void IsTooSlow_SilenceAfterAGoodStart_WithinSixSeconds()
    {
        var watch = new SpeedWatch();
        watch.Begin(0);
        for (int second = 1; second <= 10; second++)
        {
            watch.Bytes += 1_000_000;
            Assert.False(watch.IsTooSlow(second * 1_000_000L));
        }

        for (int second = 11; second <= 14; second++)
        {
            Assert.False(watch.IsTooSlow(second * 1_000_000L));
        }

        Assert.True(watch.IsTooSlow(15_000_000));
    }

    [Fact]
    public void Get_ThroughAProxy_IsByteExact()
    {
        string request = Encoding.ASCII.GetString(PreparedRequest.Get("/cvmfs/x/data/aa/bb", "10.0.0.1:8000", isAbsolute: true).Bytes);
        Assert.Equal(
            "GET http://10.0.0.1:8000/cvmfs/x/data/aa/bb HTTP/1.1\r\nHost: 10.0.0.1:8000\r\nAccept: */*\r\nProxy-Connection: Keep-Alive\r\n"
            +
            "Connection: Keep-Alive\r\nUser-Agent: cvmfs Fuse 2.11.5\r\n\r\n",
            request);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close", 200, 12, false, true)]
    [InlineData("HTTP/1.1 206 Partial Content\r\ncontent-length:7", 206, 7, false, false)]
    [InlineData("HTTP/1.0 404 Not Found", 404, -1, false, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", 200, -1, true, false)]
    public void TryParse_Head_FindsWhatFramesTheBody(string head, int status, long length, bool chunked, bool closes)
    {
        Assert.True(ResponseHead.TryParse(Encoding.ASCII.GetBytes(head), out ResponseHead parsed));
        Assert.Equal(new ResponseHead(status, length, chunked, closes, false), parsed);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH")]
    [InlineData("HTTP/2 200 and more")]
    [InlineData("HTTP/1.1 abc OK and more")]
    public void TryParse_SomethingElse_IsNotHttp(string head) => Assert.False(ResponseHead.TryParse(Encoding.ASCII.GetBytes(head), out _));

    [Fact]
    public void Feed_ChunkedBody_IsDecodedHoweverItIsCut()
    {
        byte[] wire = Encoding.ASCII.GetBytes("5\r\nhello\r\n1;ext=1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n");
        byte[] digest = SHA1.HashData("hello 0123456789"u8);
        var expected = new Expectation(ExpectationKind.Digest, CacheStore.DigestAlgorithm.Sha1, digest);
        for (int cut = 1; cut < wire.Length; cut++)
        {
            using var check = new BodyCheck();
            check.Begin(expected);
            var chunks = new ChunkedBody();
            chunks.Begin();
            long total = 0;
            foreach (byte[] piece in wire.Chunk(cut))
            {
                Assert.False(chunks.IsDone);
                Assert.True(chunks.Feed(piece, out long payload, check));
                total += payload;
            }

            Assert.True(chunks.IsDone);
            Assert.Equal(16, total);
            Assert.True(check.Finish());
        }
    }

    [Fact]
    public void CarriesItsHash_RealManifest_AndNotWithAnyByteChanged()
    {
        byte[] manifest = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "fixtures", "minios", "cvmfspublished.v1"));
        Assert.True(BodyCheck.CarriesItsHash(manifest));
        int signed = manifest.AsSpan().IndexOf("\n--\n"u8) + 1;
        for (int i = 0; i < signed; i++)
        {
            manifest[i] ^= 1;
            Assert.False(BodyCheck.CarriesItsHash(manifest));
            manifest[i] ^= 1;
        }
    }

    [Fact]
    public void Boot_Objects_HaveTheMeasuredShapeAndTrueNames()
    {
        IReadOnlyList<ServedObject> objects = ObjectSet.Boot(403, 64_400_000, 3, seed: 1);
        Assert.Equal(403, objects.Count);
        Assert.Equal(3, objects.Count(o => o.Body.Length == ObjectSet.BigSizeBytes));
        Assert.InRange(objects.Sum(o => (long)o.Body.Length), 64_300_000, 64_500_000);
        Assert.InRange(objects.Select(o => o.Body.Length).Order().ElementAt(201), 28_000, 38_000);
        Assert.All(objects, o => Assert.Equal(o.Path, ObjectSet.PathOf(o.Body)));
        Assert.Equal(403, objects.Select(o => o.Path).Distinct().Count());
    }

    [Theory]
    [InlineData("once", 0, 0)]
    [InlineData("ramp:10", 9.99, 9.99)]
    [InlineData("leader:500", 0.5, 0.5)]
    [InlineData("poisson:100", 8, 12)]
    public void Parse_ArrivalCurve_EndsWhenItShould(string curve, double earliest, double latest)
    {
        IReadOnlyList<TimeSpan> starts = Arrival.Parse(curve, 1000, seed: 1);
        Assert.Equal(1000, starts.Count);
        Assert.Equal(starts.Order(), starts);
        Assert.InRange(starts[^1].TotalSeconds, earliest, latest);
    }

    [Fact]
    public void Faults_SameSeed_AreTheSameWhateverTheOrder()
    {
        FaultPlan plan = FaultPlan.Parse(7, "flip=0.1, stall=0.05");
        Fault[] forward = [.. Enumerable.Range(0, 10_000).Select(i => plan.Choose(i % 100, i / 100))];
        Fault[] backward = [.. Enumerable.Range(0, 10_000).Reverse().Select(i => plan.Choose(i % 100, i / 100)).Reverse()];
        Assert.Equal(forward, backward);
        Assert.InRange(forward.Count(f => f == Fault.Flip), 850, 1150);
        Assert.InRange(forward.Count(f => f == Fault.Stall), 400, 600);
    }

    [Fact]
    public void Reboot_KeepsTheRootCatalogAndSkipsTheMount()
    {
        BootTrace first = BootTrace.Read(Path.Combine(AppContext.BaseDirectory, "fixtures", "minios", "boot-requests.v1.txt"));
        BootTrace reboot = first.Reboot();
        Assert.Equal(first.Paths.Skip(4), reboot.Paths);
        Assert.Equal(1, reboot.MountLength);
        Assert.Equal([first.Paths[0]], first.WarmMount().Paths);
    }
}
