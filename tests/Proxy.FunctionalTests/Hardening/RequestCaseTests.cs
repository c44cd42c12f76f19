using System.Net;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Every line of <c>request-cases.tsv</c> over a real socket, against any listener.</summary>
public abstract class RequestCaseTests(ListenerUnderTest listener)
{
    private readonly EndPoint _endPoint = listener.EndPoint;
    private readonly ScriptedUpstream _upstream = listener.Upstream;
    private readonly string _document = listener.Document;
    private readonly string _objectPath = listener.ObjectPath;

    public static TheoryData<string> Names => [.. RequestCase.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Request_AsInTheTable_IsAnsweredAsExpected(string name)
    {
        RequestCase request = RequestCase.All.Single(c => c.Name == name);
        using CancellationTokenSource hang = new(TimeSpan.FromSeconds(30));
        using RawHttpClient client = await RawHttpClient.ConnectAsync(_endPoint);
        await SendIgnoringResetAsync(client, request.ToBytes(_document, _objectPath));

        string seen = await ObserveAsync(client, request, hang.Token);

        Assert.True(request.Alternatives.Any(a => Describe(a) == seen), $"{name} ({request.Source}): got '{seen}'.");
        Assert.Equal(0, _upstream.RequestCount(RequestCase.EvilPath));
    }

    private static string Describe(ExpectedAnswers expected) =>
        expected.MayReset ? "reset" : string.Join(' ', expected.Answers.Select(a => a.Status)) + (expected.Closes ? " close" : "");

    private static async Task SendIgnoringResetAsync(RawHttpClient client, byte[] bytes)
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
