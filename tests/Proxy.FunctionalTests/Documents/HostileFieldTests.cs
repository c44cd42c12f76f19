using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Documents;

/// <summary>
/// A Stratum 1's fields that are kept or sent on are looked at when they come: a bad one is a bad answer, and the next Stratum 1 is asked.
/// </summary>
public sealed class HostileFieldTests
{
    private const string Path = "/cvmfs/tiny.example.org/.cvmfspublished";

    private static readonly string[] s_badTypes =
    [
        "text/plain; charset=\"\u00ff\"", "text/plain; charset=\"a\u0001b\"", "caf\u00c3\u00a9/x", "text/plain; x=\"\u0080\"", "nonsense",
        "text/plain\r\nContent-Type: text/html", "x/y; p=" + new string('z', 300),
    ];

    public static TheoryData<string, string> BadTypes
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (string type in s_badTypes)
            {
                data.Add(type, "true");
                data.Add(type, "false");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(BadTypes))]
    public async Task ContentType_OfTheFirstStratum1IsBad_TheNextOnesAnswerIsSent(string type, string rawPath)
    {
        byte[] manifest = FixtureRepository.Tiny.Files[".cvmfspublished"];
        await using ScriptedUpstream bad = ScriptedUpstream.Serving(FixtureRepository.Tiny);
        await using ScriptedUpstream good = ScriptedUpstream.Serving(FixtureRepository.Tiny);
        bad.Script(Path,
            new UpstreamBehaviour
            {
                RawAnswer =
            [.. Encoding.Latin1.GetBytes(
            $"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nSet-Cookie: a=b\r\nContent-Length: {manifest.Length}\r\n\r\n"), .. manifest]
            });
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:RawPath"] = rawPath }, null, bad, good);
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = await proxy.GetAsync(Path);
            Assert.Equal((200, "application/x-cvmfs", null),
                (response.Status, response.Header("Content-Type"), response.Header("Set-Cookie")));
            Assert.Equal(manifest, response.Body);
        }

        Assert.Equal((1, 1), (bad.RequestCount(Path), good.RequestCount(Path)));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task ContentType_Unusual_IsSentAsItCame(string rawPath)
    {
        const string Type = "text/plain; charset=\"a \\\" b\"";
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(FixtureRepository.Tiny);
        upstream.Script(Path, new UpstreamBehaviour { ContentType = Type });
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:RawPath"] = rawPath }, null, upstream);
        Assert.Equal(Type, (await proxy.GetAsync(Path)).Header("Content-Type"));
        Assert.Equal(Type, (await proxy.GetAsync(Path)).Header("Content-Type"));
    }
}
