namespace Breakwater.Mount.Tests;

public sealed class PacFileTests
{
    [Theory]
    [InlineData("function FindProxyForURL(url, host) { return \"PROXY p1:3128; PROXY p2:3128; DIRECT\"; }",
        "http://p1:3128;http://p2:3128;DIRECT")]
    [InlineData("// return \"PROXY old:1\";\nfunction FindProxyForURL(u, h) { return 'DIRECT'; }", "DIRECT")]
    [InlineData("function FindProxyForURL(u, h) { if (h == 'a') return 'DIRECT'; return 'PROXY p:1'; }", null)]
    [InlineData("function FindProxyForURL(u, h) { return h == 'a' ? 'DIRECT' : 'PROXY p:1'; }", null)]
    [InlineData("function FindProxyForURL(u, h) { return choose(h); }", null)]
    [InlineData("function FindProxyForURL(u, h) { return 'SOCKS p:1'; }", null)]
    [InlineData("function FindProxyForURL(u, h) { /* return 'PROXY old:1'; */ return (\"HTTP p:1\") }", "http://p:1")]
    [InlineData("function FindProxyForURL(u, h) { return 'PROXY p:1 q:1'; }", null)]
    [InlineData("function FindProxyForURL(u, h) { return ' ; '; }", null)]
    [InlineData("function FindProxyForURL(u, h) { return ''; }", null)]
    [InlineData("function FindProxyForURL(u, h) { return 'DIRECT'; } function x() { return y; }", null)]
    [InlineData("function FindProxyForURL(u, h) { return 'DIRECT'; } function x() { return 'DIRECT'; }", null)]
    [InlineData("", null)]
    public void TryConstant_OfAFile_AnswersOnlyWhereItNeverChanges(string text, string? expected) =>
        Assert.Equal(expected, PacFile.TryConstant(text));
}
