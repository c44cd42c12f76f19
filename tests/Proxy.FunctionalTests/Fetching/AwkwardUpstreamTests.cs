using System.Text;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>
/// Answers that are not plainly wrong: heads that tell two ends of one body, right bytes whose answer does not end, a Stratum 1 that cannot
/// continue another's body, and slow ones beside a quick one. Clients get the right bytes in time, and whoever sent them is not blamed.
/// </summary>
public sealed class AwkwardUpstreamTests
{
    private const int Length = 40_000;

    /// <summary>Goes on to the next quickly, and never has to give up before it has.</summary>
    private static readonly Dictionary<string, string?> s_healing = new()
    {
        ["Proxy:FirstByteTimeout"] = "00:00:00.5",
        ["Proxy:AnswerTimeout"] = "00:00:30",
        ["Proxy:FetchPatience"] = "00:00:30",
    };

    /// <summary>Where nobody is silent: on a busy machine none may seem so.</summary>
    private static readonly Dictionary<string, string?> s_patient = new(s_healing)
    {
        ["Proxy:FirstByteTimeout"] = "00:00:10",
        ["Proxy:AnswerTimeout"] = "00:01:00", // a fifteenth of it makes an answer slow
        ["Proxy:FetchPatience"] = "00:05:00",
    };

    /// <summary>What a head says of the length of a body of 40,000 bytes.</summary>
    public static readonly TheoryData<string> UnclearHeads =
    [
        "Content-Length: 5\r\nContent-Length: 40000",
        "Content-Length: 40000\r\nContent-Length: 5",
        "Content-Length: 5, 40000",
        "Content-Length: 40000, 40000",
        "Content-Length: +40000",
        "Content-Length: 0x9c40",
        "Content-Length: ",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: identity\r\nContent-Length: 40000",
    ];

    [Theory]
    [MemberData(nameof(UnclearHeads))]
    public async Task Length_IsUnclear_TheNextStratum1IsAsked(string fields)
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(Length).On(bad, good);
        const string File = "/cvmfs/synthetic.example.org/external/file";
        const string Document = "/cvmfs/synthetic.example.org/.cvmfsreflog";
        foreach (string path in (string[])[File, Document])
        {
            good.Put(path, item.Bytes);
        }

        // A part of the body, and the end of the connection: what is taken for whole is wrong.
        bad.Everything = Raw(fields, item.Bytes.AsSpan(0, Length / 2));
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_healing, null, bad, good);
        foreach (string path in (string[])[File, Document, item.Path])
        {
            RawResponse response = await proxy.GetAsync("http://s1.example.org" + path);
            Assert.Equal((200, true), (response.Status, response.IsComplete));
            Assert.True(item.Bytes.AsSpan().SequenceEqual(response.Body), $"{path}: {response.Body.Length} bytes");
        }
    }

    [Fact]
    public async Task Length_BesideChunks_TheNextStratum1IsAsked()
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        const string File = "/cvmfs/synthetic.example.org/external/file";
        byte[] bytes = new SyntheticObject(Length).Bytes;
        good.Put(File, bytes);
        bad.Everything = Raw("Content-Length: 40000\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"u8);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_healing, null, bad, good);
        Assert.Equal(bytes, (await proxy.GetAsync("http://s1.example.org" + File)).Body);
    }

    public static TheoryData<string, int> EndsAndSizes()
    {
        TheoryData<string, int> data = [];
        foreach (string end
            in (string[])["announces more and stalls", "announces more and closes", "chunks without an end, stalls",
            "chunks without an end, closes", "no length, stalls"])
        {
            data.Add(end, Length);
            data.Add(end, 200_000);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(EndsAndSizes))]
    public async Task RightBytes_TheAnswerDoesNotEnd_AreDeliveredWithoutAnother(string end, int sizeBytes)
    {
        await using ScriptedUpstream only = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(sizeBytes).On(only);
        UpstreamBehaviour stalls = UpstreamBehaviour.StallsAt(sizeBytes);
        only.Script(item.Path, end switch
        {
            "announces more and stalls" => stalls with { DeclaredLength = sizeBytes + 10 },
            "announces more and closes" => new UpstreamBehaviour { DeclaredLength = sizeBytes + 10 },
            "chunks without an end, stalls" => stalls with { Chunked = true },
            "chunks without an end, closes" => new UpstreamBehaviour { Chunked = true, TruncateAt = sizeBytes },
            _ => stalls with { EndsWithConnection = true },
        });
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(s_healing) { ["Proxy:FetchPatience"] = "00:00:01" }, null, only);
        RawResponse response = await proxy.GetAsync(item.Url);
        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.True(item.Bytes.AsSpan().SequenceEqual(response.Body));
        Assert.Equal(item.Bytes, await proxy.ReadStoredAsync(item.Key));
        Assert.Equal(1, only.RequestCount(item.Path));
        Assert.Equal(1, await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{only.EndPoint}\""));
    }

    [Theory]
    [InlineData("416 Range Not Satisfiable", "X: y")]
    [InlineData("416 Range Not Satisfiable", "Content-Range: bytes */40000")]
    [InlineData("206 Partial Content", "X: y")]
    [InlineData("206 Partial Content", "Content-Range: bytes 20000-19999/40000")]
    [InlineData("206 Partial Content", "Content-Range: bytes 0-19999/40000")]
    [InlineData("206 Partial Content", "Content-Range: bytes 20000-39999/*")]
    public async Task Continuation_TheGoodStratum1CannotDoIt_IsAskedForTheWholeAndNotBlamed(string status, string field)
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(Length).On(bad, good);
        bad.Script(item.Path, UpstreamBehaviour.TruncatesAt(20_000));
        good.Choose = request => request.Header("Range") is null ? UpstreamBehaviour.Default
            : new UpstreamBehaviour { RawAnswer = Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{field}\r\nContent-Length: 0\r\n\r\n") };

        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_patient, null, bad, good);
        RawResponse response = await proxy.GetAsync(item.Url);
        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.True(item.Bytes.AsSpan().SequenceEqual(response.Body));
        Assert.Equal(0, await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{good.EndPoint}\""));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task KeptConnection_EndsAsTheNextRequestComes_TheSameStratum1IsAskedAgain(bool isReset)
    {
        await using ScriptedUpstream only = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_patient, null, only);
        for (int i = 0; i < 8; i++)
        {
            SyntheticObject item = new SyntheticObject(1000 + i).On(only);
            int kept = only.ConnectionsAccepted;
            only.Choose = request => request.ConnectionNumber > kept ? UpstreamBehaviour.Default
                : isReset ? UpstreamBehaviour.ResetWithoutAnswer : new UpstreamBehaviour { CloseInsteadOfAnswer = true };
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        }

        Assert.Equal(0, await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{only.EndPoint}\""));
    }

    [Fact]
    public async Task Length_LiedAboutByTheFirst_TheLiarIsBlamedAndNotTheOneWhoContradicts()
    {
        await using ScriptedUpstream liar = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(Length).On(liar, good);
        liar.Script(item.Path, new UpstreamBehaviour { DeclaredLength = Length + 1000, TruncateAt = Length / 2 });
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_patient, null, liar, good);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        Assert.Equal(0, await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{good.EndPoint}\""));
        Assert.Equal(1, await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{liar.EndPoint}\"", "kind=\"badhead\""));
    }

    // Each of the three would be slow enough by itself: whoever was slow with the first is asked last for the others.
    [Fact]
    public async Task FirstStart_AStratum1DripsAllItHas_IsAskedForTheFirstDocumentOnly()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using ScriptedUpstream bad = ScriptedUpstream.Serving(minios);
        await using ScriptedUpstream good = ScriptedUpstream.Serving(minios);
        bad.Everything = new UpstreamBehaviour { BytesPerSecond = 20 };
        using var keys = new TemporaryDirectory();
        File.Copy(minios.MasterKeyPath, keys.Combine(minios.Fqrn + ".pub"));
        var settings = new Dictionary<string, string?>(s_healing) { ["Repositories:KeysDirectory"] = keys.Path };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(settings, null, bad, good);

        RawResponse response = await proxy.GetAsync("http://s1.example.org" + minios.UrlPath(".cvmfspublished"));

        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.Equal([minios.UrlPath(".cvmfswhitelist")], bad.Requests.Select(r => r.Path).Distinct());
        Assert.Contains(good.Requests, r => r.Path.EndsWith('X'));
    }

    [Theory]
    [InlineData(".cvmfsreflog")]
    [InlineData(".cvmfspublished")]
    [InlineData(".cvmfswhitelist")]
    public async Task Document_StallsOrDripsBehindItsHead_TheNextStratum1IsAskedInTime(string name)
    {
        foreach (UpstreamBehaviour fault
            in (UpstreamBehaviour[])[UpstreamBehaviour.StallsAt(10), new UpstreamBehaviour { BytesPerSecond = 20 }])
        {
            await using ScriptedUpstream bad = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
            await using ScriptedUpstream good = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
            bad.Everything = fault;
            await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_healing, null, bad, good);
            RawResponse response = await proxy.GetAsync("http://s1.example.org" + FixtureRepository.MiniOs.UrlPath(name));
            Assert.Equal((200, true), (response.Status, response.IsComplete));
            Assert.True(await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{bad.EndPoint}\"", "kind=\"timeout\"")
                >= 1);
        }
    }

    [Fact]
    public async Task Silence_OfTheFirst_IsAFailureOfItAndItIsAskedLast()
    {
        await using ScriptedUpstream silent = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        silent.Everything = UpstreamBehaviour.NeverAnswers;
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(s_healing, null, silent, good);
        for (int i = 0; i < 6; i++)
        {
            SyntheticObject item = new SyntheticObject(Length, i).On(good);
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        }

        Assert.InRange(silent.Requests.Count, 3, 5);
        Assert.Equal(
            Stratum1State.AskedLast,
            proxy.Services.GetRequiredService<Stratum1Outcomes>().StateOf(
                proxy.Services.GetRequiredService<IProxyStateLookup>().GetClusters().Single(c => c.ClusterId == "test")
                .DestinationsState.AllDestinations[0]));
    }

    [Theory]
    [InlineData(Length, false)]
    [InlineData(66_000, false)]
    [InlineData(400_000, true)]
    public async Task Pace_TooSlowForAnAnswerInTime_TheNextStratum1Continues(int sizeBytes, bool isChunked)
    {
        await using ScriptedUpstream slow = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(sizeBytes).On(slow, good);
        slow.Everything = new UpstreamBehaviour { BytesPerSecond = 5000, Chunked = isChunked };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient) { ["Proxy:AnswerTimeout"] = "00:00:03.750" }, null, slow, good);
        RawResponse response = await proxy.GetAsync(item.Url);
        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.True(item.Bytes.AsSpan().SequenceEqual(response.Body));
        Assert.NotNull(Assert.Single(good.Requests).Header("Range"));
        Assert.Equal(0, await proxy.MetricAsync("breakwater_upstream_failures_total", $"upstream=\"{good.EndPoint}\""));
    }

    private static UpstreamBehaviour Raw(string fields, ReadOnlySpan<byte> body) =>
        new() { RawAnswer = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"), .. body] };
}
