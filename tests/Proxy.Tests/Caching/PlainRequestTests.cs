using System.Text;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

public sealed class PlainRequestTests
{
    private static readonly byte[][] s_varying = ["accept-encoding"u8.ToArray(), "x"u8.ToArray()];

    [Theory]
    [InlineData("Host: a|Accept: */*|User-Agent: curl|Cookie: x|Via: 1.1 a|Connection: keep-alive", true)]
    [InlineData("Base: x|If: x|Range-Unit: x|Forward: x|X-Forwarded: x|If-None-Matches: x|X-: y|XY: z|Bas: x", true)]
    [InlineData("Host: a|if-none-MATCH: \"x\"", false)]
    [InlineData("IF-MODIFIED-SINCE: x|Host: a", false)]
    [InlineData("If-Match: x", false)]
    [InlineData("If-Unmodified-Since: x", false)]
    [InlineData("If-Range: x", false)]
    [InlineData("accept-encoding: gzip", false)]
    [InlineData("Accept-Encoding:", false)]
    [InlineData("x: y", false)]
    [InlineData("X: y", false)]
    [InlineData("A: x-forwarded-host: y", true)]
    public void Request_ByTheNamesOfItsFields_IsPlainOrNot(string fields, bool expected) =>
        Assert.Equal(expected, PlainRequest.Is(Lines(fields), s_varying));

    [Fact]
    public void Request_OfAKindOfItsOwn_IsNotPlain()
    {
        foreach (string name in VaryKey.Unnamed)
        {
            Assert.False(PlainRequest.Is(Lines($"Host: a|{name}: x"), []), name);
            Assert.False(PlainRequest.Is(Lines($"{name.ToUpperInvariant()}: x|Host: a"), []), name);
            Assert.True(PlainRequest.Is(Lines($"{name}x: x"), []), name);
        }

        Assert.True(PlainRequest.Is(Lines("accept-encoding: gzip"), []));
    }

    private static byte[] Lines(string fields) => Encoding.ASCII.GetBytes(fields.Replace("|", "\r\n", StringComparison.Ordinal) + "\r\n");
}
