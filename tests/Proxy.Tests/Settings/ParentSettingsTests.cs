using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>A cluster's parent proxies, those they are not asked for, and the file with their password.</summary>
public sealed class ParentSettingsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<string> _errors = [];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Read_Several_AreInTheirOrderEachWithItsPasswordOrTheFiles()
    {
        ParentSettings parents = Read(("Address", "http://a:1"), ("Others:0", "http://me:own@b:1"), ("Others:1", "http://a:2"),
            ("NoProxy:0", "*.example.org"), ("NoProxy:1", "s1.example.net:8000"), ("CredentialsFile", Credentials("us:pass:word\r\n")));

        Assert.Empty(_errors);
        Assert.Equal(["http://a:1/ us:pass:word", "http://b:1/ me:own", "http://a:2/ us:pass:word"], parents.Proxies.Select(Text));
        Assert.True(parents.Bypass.Covers(new Uri("http://s.example.org:1234/")));
        Assert.True(parents.Bypass.Covers(new Uri("http://s1.example.net:8000/")));
        Assert.False(parents.Bypass.Covers(new Uri("http://s1.example.net/")));
        Assert.False(parents.Bypass.Covers(new Uri("http://example.com/")));
    }

    [Fact]
    public void Read_None_IsEmpty()
    {
        Assert.Empty(Read(("BypassOnLocal", "true"), ("Address", "")).Proxies);
        Assert.Empty(_errors);
    }

    [Theory]
    [InlineData("Address", "http://a:1/x", "Address: 'http://a:1/x' is not a parent proxy's URL")]
    [InlineData("Others:0", "http://A:1/", "Others: http://a:1/ is there twice.")]
    [InlineData("Others:0", "x", "Others: 'x' is not a parent proxy's URL")]
    [InlineData("Others", "http://b:1", "Others: this is a list")]
    [InlineData("NoProxy", "x", "NoProxy: this is a list")]
    [InlineData("NoProxy:0", "a/b", "NoProxy: 'a/b' is not a host or domain")]
    [InlineData("NoProxy:0", "", "NoProxy: '' is not a host or domain")]
    [InlineData("CredentialsFile", "/nowhere/at/all", "CredentialsFile: /nowhere/at/all cannot be read: ")]
    public void Read_AMistake_IsNamed(string name, string value, string said)
    {
        Read(("Address", "http://a:1"), (name, value));

        Assert.StartsWith("ReverseProxy:Clusters:c:HttpClient:WebProxy:" + said, Assert.Single(_errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Others:0", "http://b:1")]
    [InlineData("NoProxy:0", "h")]
    [InlineData("CredentialsFile", "/dev/null")]
    public void Read_OtherThingsWithoutTheFirstProxy_AreNamed(string name, string value)
    {
        Read((name, value));

        Assert.Contains(_errors, error => error.StartsWith(
            "ReverseProxy:Clusters:c:HttpClient:WebProxy:Address: the first parent", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("u:p", "u:p")]
    [InlineData("u:\n", "u:")]
    [InlineData("", null)]
    [InlineData(":p", null)]
    [InlineData("user", null)]
    [InlineData("u:p\nv:q\n", null)]
    [InlineData("u:\tp", null)]
    public void Read_FileOfThePassword_HasOneLine(string content, string? credential)
    {
        ParentSettings parents = Read(("Address", "http://a:1"), ("CredentialsFile", Credentials(content)));

        Assert.Equal($"http://a:1/ {credential}".TrimEnd(), Text(Assert.Single(parents.Proxies)));
        Assert.Equal(credential is null ? 1 : 0, _errors.Count);
        Assert.All(_errors, error => Assert.EndsWith("must have one line, user:password.", error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(4096, "")]
    [InlineData(4097, "has more than one line user:password.")]
    public void Read_LongestFileOfThePassword_Is4KiB(int length, string said)
    {
        Read(("Address", "http://a:1"), ("CredentialsFile", Credentials("u:".PadRight(length, 'p'))));

        Assert.EndsWith(said, string.Concat(_errors), StringComparison.Ordinal);
        Assert.Equal(said.Length > 0, _errors.Count > 0);
    }

    /// <summary>Of a link only what it leads to counts, which is as long as it is.</summary>
    [Theory]
    [InlineData(4096, 0)]
    [InlineData(4097, 1)]
    public void Read_FileOfThePasswordBehindALink_IsNoLonger(int length, int mistakes)
    {
        File.CreateSymbolicLink(_directory.Combine("link"), Credentials("u:".PadRight(length, 'p')));
        Read(("Address", "http://a:1"), ("CredentialsFile", _directory.Combine("link")));

        Assert.Equal(mistakes, _errors.Count);
    }

    private static string Text(ParentProxy proxy) =>
        proxy.Credential is { } own ? $"{proxy} {own.UserName}:{own.Password}" : proxy.ToString();

    private string Credentials(string content)
    {
        File.WriteAllText(_directory.Combine("credentials"), content);
        return _directory.Combine("credentials");
    }

    private ParentSettings Read(params (string Name, string Value)[] values)
    {
        const string Cluster = "ReverseProxy:Clusters:c";
        var configured = values.ToLookup(one => one.Name).ToDictionary(
            one => $"{Cluster}:HttpClient:WebProxy:{one.Key}", one => (string?)one.Last().Value);
        return ParentSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(configured).Build().GetSection(Cluster), _errors);
    }
}
