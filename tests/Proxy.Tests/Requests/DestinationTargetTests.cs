using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Tests.Requests;

public sealed class DestinationTargetTests
{
    [Theory]
    [InlineData("http://h", "h", 80, "h", "/")]
    [InlineData("http://H:80/x", "H", 80, "H:80", "/x")]
    [InlineData("http://h?x/y", "h", 80, "h", "/?x/y")]
    [InlineData("http://h:8080?x", "h", 8080, "h:8080", "/?x")]
    [InlineData("http://h/?a=b&c=[1]|{2}^", "h", 80, "h", "/?a=b&c=[1]|{2}^")]
    [InlineData("http://h/a//../%2f", "h", 80, "h", "/a//../%2f")]
    [InlineData("http://[::1]/", "::1", 80, "[::1]", "/")]
    [InlineData("http://[::1]:81/", "::1", 81, "[::1]:81", "/")]
    public void TryParse_AbsoluteForm_GivesItsPartsAsWritten(string target, string host, int port, string authority, string path)
    {
        Assert.True(DestinationTarget.TryParse(target, out DestinationTarget parsed));

        Assert.Equal(new DestinationTarget(host, port, authority, path), parsed);
        Assert.Equal($"http://{authority}{path}", parsed.Url);
    }

    [Theory]
    [InlineData("http://")]
    [InlineData("http:///x")]
    [InlineData("http://?x")]
    [InlineData("http://h\u00e9/")]
    [InlineData("http://h/\u00e9")]
    [InlineData("http://h/%")]
    [InlineData("http://h/%2")]
    [InlineData("http://h/%2g")]
    [InlineData("http://h/%g2")]
    [InlineData("http://h/%20 x")]
    [InlineData("http://h/\\")]
    [InlineData("http://h:x/")]
    [InlineData("HTTP://h/")]
    public void TryParse_OutsideTheGrammar_IsNot(string target) => Assert.False(DestinationTarget.TryParse(target, out _));

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void TryParse_LongestTarget_IsMaxLength(int more, bool expected)
    {
        const string Beginning = "http://h/";
        Assert.Equal(expected, DestinationTarget.TryParse(Beginning.PadRight(DestinationTarget.MaxLength + more, 'x'), out _));
        Assert.Equal(expected, DestinationTarget.TryParseOriginForm("/".PadRight(DestinationTarget.MaxLength + more, 'x'), "h", out _));
    }

    [Theory]
    [InlineData("/x?y", "h:81", "h", 81)]
    [InlineData("/x?y", "[::1]", "::1", 80)]
    [InlineData("/x?y", "", "", 80)]
    public void TryParseOriginForm_TargetAndHost_LeadThere(string target, string field, string host, int port)
    {
        Assert.True(DestinationTarget.TryParseOriginForm(target, field, out DestinationTarget parsed));

        Assert.Equal(new DestinationTarget(host, port, field, target), parsed);
    }

    [Theory]
    [InlineData("x", "h")]
    [InlineData("*", "h")]
    [InlineData("/ x", "h")]
    [InlineData("/ x", "")]
    [InlineData("/x", "h/")]
    [InlineData("/x", "h:0")]
    public void TryParseOriginForm_OutsideTheGrammar_IsNot(string target, string host) =>
        Assert.False(DestinationTarget.TryParseOriginForm(target, host, out _));
}
