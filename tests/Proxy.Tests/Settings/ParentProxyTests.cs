using System.Net;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Tests.Settings;

public class ParentProxyTests
{
    [Theory]
    [InlineData("http://proxy.example.org:3128", "http://proxy.example.org:3128/", null)]
    [InlineData("http://site:secret@proxy.example.org:3128/", "http://proxy.example.org:3128/", "site:secret")]
    [InlineData("https://site:secret@proxy.example.org", "https://proxy.example.org/", "site:secret")]
    [InlineData("http://a%40b:p%40s%3as%2f%25%20%C3%BC@127.0.0.1:3128", "http://127.0.0.1:3128/", "a@b:p@s:s/% ü")]
    [InlineData("http://site@[::1]:3128", "http://[::1]:3128/", "site:")]
    [InlineData("http://site:a:b@proxy:3128", "http://proxy:3128/", "site:a:b")]
    public void TryParse_Url_GivesAddressWithoutAndCredentialDecoded(string url, string address, string? credential)
    {
        Assert.True(ParentProxy.TryParse(url, out ParentProxy? parent, out _));

        Assert.Equal(address, parent.Address.AbsoluteUri);
        Assert.Equal(address, parent.ToString());
        Assert.Equal(credential, parent.Credential is null ? null : $"{parent.Credential.UserName}:{parent.Credential.Password}");
        Assert.Equal(credential is null ? null : "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(credential)),
            parent.Authorization);
    }

    [Theory]
    [InlineData("socks5://site:secret@proxy:1080")]
    [InlineData("site:secret@proxy:3128")]
    [InlineData("http://:secret@proxy:3128")]
    [InlineData("http://a%3ab:secret@proxy:3128")]
    [InlineData("http://site:secret%0d%0aX@proxy:3128")]
    [InlineData("http://site:secret@proxy:3128/path")]
    [InlineData("http://site:secret@proxy:3128?x")]
    [InlineData("http://site:sec/ret@proxy:3128")]
    [InlineData("http://site:secret@")]
    public void TryParse_Mistake_IsNamedWithoutThePassword(string url)
    {
        Assert.False(ParentProxy.TryParse(url, out _, out string problem));

        Assert.NotEmpty(problem);
        Assert.DoesNotContain("secret", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("sec/ret", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("http://h:1/x", "http://h:1/x")]
    [InlineData("http://u:secret@h:1/", "http://…@h:1/")]
    [InlineData("u:secret@h", "…@h")]
    [InlineData("://u:secret@h", "://…@h")]
    [InlineData("http://u:sec@ret@h", "http://…@h")]
    [InlineData("@h", "…@h")]
    [InlineData("u:secret@http://h", "…@http://h")]
    public void WithoutPassword_AnUrl_MayBeShown(string? url, string shown) => Assert.Equal(shown, ParentProxy.WithoutPassword(url));

    [Theory]
    [InlineData(407, null, null, true)]
    [InlineData(502, null, null, true)]
    [InlineData(504, null, null, true)]
    [InlineData(508, null, null, true)]
    [InlineData(403, "ERR_ACCESS_DENIED 0", null, true)]
    [InlineData(503, "ERR_CONNECT_FAIL 111", null, false)]
    [InlineData(503, "ERR_DNS_FAIL 0", null, false)]
    [InlineData(502, null, "parent; error=connection_refused", false)]
    [InlineData(404, null, null, false)]
    [InlineData(503, null, null, false)]
    [InlineData(403, null, null, false)]
    [InlineData(200, null, null, false)]
    public void ParentFault_Answer_IsTheParentsOrTheStratum1s(int status, string? squid, string? proxyStatus, bool isParents)
    {
        Assert.True(ParentProxy.TryParse("http://site:secret@parent:3128", out ParentProxy? parent, out _));
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        response.Headers.TryAddWithoutValidation("X-Squid-Error", squid is null ? [] : [squid]);
        response.Headers.TryAddWithoutValidation("Proxy-Status", proxyStatus is null ? [] : [proxyStatus]);

        string? fault = ParentFault.Of(response, parent, signs: false);

        Assert.Equal(isParents, fault is not null);
        Assert.DoesNotContain("secret", fault ?? "", StringComparison.Ordinal);
        Assert.True(fault is null || fault.Contains("parent:3128", StringComparison.Ordinal));
    }

    /// <summary>What it passes on has its Via; what has none comes from itself.</summary>
    [Theory]
    [InlineData(503, null, true, true)]
    [InlineData(500, null, true, true)]
    [InlineData(503, "1.1 parent", true, false)]
    [InlineData(503, null, false, false)]
    [InlineData(404, null, true, false)]
    [InlineData(200, null, true, false)]
    public void ParentFault_ErrorWithoutViaOfOneThatSigns_IsTheParents(int status, string? via, bool signs, bool isParents)
    {
        Assert.True(ParentProxy.TryParse("http://parent:3128", out ParentProxy? parent, out _));
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        response.Headers.TryAddWithoutValidation("Via", via is null ? [] : [via]);

        Assert.Equal(isParents, ParentFault.Of(response, parent, signs) is not null);
    }
}
