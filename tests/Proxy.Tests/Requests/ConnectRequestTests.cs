using System.Text;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Tests.Requests;

/// <summary>More of it is in <see cref="Access.AccessTests"/>.</summary>
public sealed class ConnectRequestTests
{
    [Fact]
    public void Parse_Fields_AreGivenWithoutTheSpacesAroundThem()
    {
        Assert.Equal(new ConnectRequest("h", 443, "Basic eA==", "curl/8: x"),
            Parse("h:443", "Host: h:443", "proxy-authorization:\tBasic eA== ", "USER-AGENT:curl/8: x", "X-Other: y"));
        Assert.Equal(new ConnectRequest("h", 443, null, null), Parse("h:443", "Host: h:443"));
    }

    [Theory]
    [InlineData("h:443", "H")]
    [InlineData("H:443", "h:443")]
    [InlineData("[1::]:443", "[1::]")]
    [InlineData("[1::]:443", "[1::]:443")]
    public void Parse_HostOfTheTargetWithOrWithoutPort_IsTheSame(string target, string host) =>
        Assert.Equal(443, Parse(target, "Host: " + host)?.Port);

    [Theory]
    [InlineData(":443", "Host: :443")]
    [InlineData("[::1]", "Host: [::1]")]
    [InlineData("[1:2:3:4:5:6:7:8]", "Host: [1:2:3:4:5:6:7:8]")]
    [InlineData("h:443", "Host: h:44")]
    [InlineData("h:443", "Host: h:443", "Proxy-Authorization: Basic a", "Proxy-Authorization: Basic a")]
    [InlineData("h:443", "Host: h:443", "X-Control: \u0001")]
    [InlineData("h:443", "Host: h:443", "X(Y): z")]
    [InlineData("h:443", "Host: h:443", ": z")]
    [InlineData("h:443", "Host: h:443", "no colon")]
    [InlineData("h:443", "Host: h:443", "X-Latin: \u00e9")]
    public void Parse_OutsideTheGrammar_IsNull(string target, params string[] fields) => Assert.Null(Parse(target, fields));

    [Theory]
    [InlineData("", true)]
    [InlineData("Host: h:1\r\n", true)]
    [InlineData("Host: h:1\r\nHost: h:1\r\n", false)]
    public void Parse_OfHttp10_NeedsNoHostButHasNoTwo(string fields, bool isValid) =>
        Assert.Equal(isValid, ConnectRequest.Parse(Encoding.ASCII.GetBytes($"CONNECT h:1 HTTP/1.0\r\n{fields}\r\n")) is not null);

    [Theory]
    [InlineData("connect h:1 HTTP/1.0\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.0 x\r\n\r\n")]
    [InlineData("CONNECT h:1 HTTP/1.0\r\n")]
    public void Parse_AnotherRequestLine_IsNull(string head) => Assert.Null(ConnectRequest.Parse(Encoding.ASCII.GetBytes(head)));

    private static ConnectRequest? Parse(string target, params string[] fields) =>
        ConnectRequest.Parse(Encoding.Latin1.GetBytes($"CONNECT {target} HTTP/1.1\r\n{string.Join("\r\n", fields)}\r\n\r\n"));
}
