using System.Net;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Pipeline;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Tests.Pipeline;

/// <summary>For whom a request is, and what of it goes further.</summary>
public sealed class ForwardedClientsTests
{
    private readonly ClientLimits _limits = new(0, 0, TimeProvider.System);
    private readonly ForwardedClients _clients;

    public ForwardedClientsTests() => _clients = new ForwardedClients(new Balancers([], ["192.0.2.0/24"]), _limits);

    [Fact]
    public void Settle_OfABalancer_IsTheClientsFromThenOn()
    {
        HttpContext context = Settled("192.0.2.1", "/x", ("X-Forwarded-For", "203.0.113.9, 10.1.2.3"));

        Assert.Equal((IPAddress.Parse("10.1.2.3"), "c/10.1.2.3"), (context.Connection.RemoteIpAddress, context.Connection.Id));
        Assert.Equal("10.1.2.3", (string?)context.Request.Headers["X-Forwarded-For"]);
        Assert.Equal(1, _limits.Seen.Count);
    }

    [Theory]
    [InlineData("10.0.0.1", "/x")] // nobody who is believed
    [InlineData("192.0.2.1", "http://h/x")] // a client of a forward proxy names the server itself
    public void Settle_OfAnybodyElse_IsTheSendersAndWhatItSaysGoesNoFurther(string sender, string target)
    {
        HttpContext context = Settled(sender, target, ("X-Forwarded-For", "10.1.2.3"));

        Assert.Equal((IPAddress.Parse(sender), "c"), (context.Connection.RemoteIpAddress, context.Connection.Id));
        Assert.False(context.Request.Headers.ContainsKey("X-Forwarded-For"));
        Assert.Equal(0, _limits.Seen.Count);
    }

    [Theory]
    [InlineData("Forwarded", "for=10.1.2.3", false)]
    [InlineData("Forwarded", "proto=http;FOR=\"x\"", false)]
    [InlineData("Forwarded", "proto=http", true)]
    [InlineData("X-Real-IP", "10.1.2.3", false)]
    [InlineData("X-Other", "10.1.2.3", true)]
    public void Settle_OtherFieldsThatNameAClient_GoNoFurther(string name, string value, bool stays)
    {
        foreach (string sender in (string[])["10.0.0.1", "192.0.2.1"])
        {
            HttpContext context = Settled(sender, "/x", (name, value));

            Assert.Equal(stays, context.Request.Headers.ContainsKey(name));
            Assert.Equal((IPAddress.Parse(sender), "c"), (context.Connection.RemoteIpAddress, context.Connection.Id));
        }
    }

    private DefaultHttpContext Settled(string sender, string target, params (string Name, string Value)[] fields)
    {
        var context = new DefaultHttpContext();
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Connection.RemoteIpAddress = IPAddress.Parse(sender);
        context.Connection.Id = "c";
        foreach ((string name, string value) in fields)
        {
            context.Request.Headers[name] = value;
        }

        _clients.Settle(context);
        return context;
    }
}
