using System.Net;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>
/// Every line of <c>request-cases.tsv</c> over a real socket. Works against any listener: <see cref="Settings"/> chooses the path below or above HttpContext.
/// </summary>
public abstract class RequestCaseTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Serving(FixtureRepository.Tiny);
    private ProxyUnderTest _proxy = null!;
    private string _document = "";
    private string _objectPath = "";

    public static TheoryData<string> Names => [.. RequestCase.All.Select(c => c.Name)];

    /// <summary>Settings of the listener under test.</summary>
    protected abstract IReadOnlyDictionary<string, string?> Settings { get; }

    public async Task InitializeAsync()
    {
        Dictionary<string, string?> settings = new(Settings) { ["Proxy:RequestHeadTimeout"] = "00:00:02" };
        _proxy = await ProxyUnderTest.StartAsync(settings, null, _upstream);
        _document = FixtureRepository.Tiny.UrlPath(".cvmfspublished");
        ObjectKey key = FixtureRepository.Tiny.Objects.OrderBy(o => o.Value.Length).First(o => o.Value.Length >= 100).Key;
        _objectPath = key.ToPath();
        Assert.Equal(200, (await _proxy.GetAsync(FixtureRepository.Tiny.UrlPath(key))).Status);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Request_AsInTheTable_IsAnsweredAsExpected(string name)
    {
        RequestCase request = RequestCase.All.Single(c => c.Name == name);
        using CancellationTokenSource hang = new(TimeSpan.FromSeconds(30));
        using RawHttpClient client = await _proxy.ConnectAsync();
        await SendIgnoringResetAsync(client, request.ToBytes(_document, _objectPath));

        string seen = await ObserveAsync(client, request, hang.Token);

        Assert.True(request.Alternatives.Any(a => Describe(a) == seen), $"{name} ({request.Source}): got '{seen}'.");
        Assert.Equal(0, _upstream.RequestCount(RequestCase.EvilPath));
    }

    private static string Describe(ExpectedAnswers expected) =>
        expected.MayReset ? "reset" : string.Join(' ', expected.Answers.Select(a => a.Status)) + (expected.Closes ? " close" : "");

    private async Task SendIgnoringResetAsync(RawHttpClient client, byte[] bytes)
    {
        try
        {
            await client.SendAsync(bytes);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // It has answered and closed before it read all.
        }
    }

    /// <summary>Reads as many answers as the longest alternative has, then finds out whether the connection goes on.</summary>
    private async Task<string> ObserveAsync(RawHttpClient client, RequestCase request, CancellationToken cancellationToken)
    {
        List<int> statuses = [];
        int most = request.Alternatives.Max(a => a.Answers.Count);
        while (statuses.Count < most)
        {
            bool isHead = request.Alternatives.Any(a => a.Answers.Count > statuses.Count && a.Answers[statuses.Count].IsHead);
            RawResponse answer;
            try
            {
                answer = await client.ReadResponseAsync(isHead, cancellationToken);
            }
            catch (EndOfStreamException)
            {
                return statuses.Count == 0 ? "reset" : string.Join(' ', statuses) + " close";
            }

            Assert.True(answer.IsComplete, $"The answer {answer.Head.StatusLine} is cut.");
            Assert.NotInRange(answer.Status, 100, 199);
            statuses.Add(answer.Status);
        }

        return string.Join(' ', statuses) + (await GoesOnAsync(client, cancellationToken) ? "" : " close");
    }

    /// <summary>A plain request tells whether the connection still serves, and that nothing else was answered on it before.</summary>
    private async Task<bool> GoesOnAsync(RawHttpClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.SendAsync(Encoding.ASCII.GetBytes($"GET {_document} HTTP/1.1\r\nHost: localhost\r\n\r\n"), cancellationToken);
            RawResponse probe = await client.ReadResponseAsync(cancellationToken: cancellationToken);
            Assert.Equal(FixtureRepository.Tiny.Files[".cvmfspublished"], probe.Body);
            return true;
        }
        catch (Exception e) when (e is EndOfStreamException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}

/// <summary>The table through Kestrel's ordinary pipeline.</summary>
public sealed class OrdinaryPathRequestCaseTests : RequestCaseTests
{
    protected override IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?> { ["Proxy:RawPath"] = "false" };
}

/// <summary>The table through the path below HttpContext, where hits are answered.</summary>
public sealed class RawPathRequestCaseTests : RequestCaseTests
{
    protected override IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?> { ["Proxy:RawPath"] = "true" };
}
