using System.Net;
using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Admin;

public sealed class AdminSessionsTests : IDisposable
{
    private static readonly IPAddress s_client = IPAddress.Parse("192.0.2.1");

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private readonly AdminSessions _sessions;
    private readonly string _token;

    public AdminSessionsTests()
    {
        string file = _directory.Combine("admin.token");
        _sessions = new AdminSessions(AdminToken.LoadOrCreate(file), _time);
        _token = AdminToken.Read(file);
    }

    [Fact]
    public void SignIn_WithTheToken_IsASessionUntilItEnds()
    {
        AdminSession session = SignIn(out string secret)!;

        Assert.Same(session, _sessions.Find(secret));
        Assert.Null(_sessions.Find(secret + "x"));
        Assert.Null(_sessions.Find(session.Key));
        Assert.Null(_sessions.Find(""));
        Assert.True(AdminSessions.Proves(session, session.Csrf));
        Assert.False(AdminSessions.Proves(session, null));
        Assert.False(AdminSessions.Proves(session, ""));
        Assert.False(AdminSessions.Proves(session, secret));
        _time.Advance(AdminSessions.Lifetime);
        Assert.Null(_sessions.Find(secret));
    }

    [Fact]
    public void SignOut_EndsTheSession()
    {
        AdminSession session = SignIn(out string secret)!;
        _sessions.End(session);

        Assert.Null(_sessions.Find(secret));
    }

    [Fact]
    public void Tries_MoreThanFiveAMinute_AreRefusedEvenWithTheToken()
    {
        for (int i = 0; i < 5; i++)
        {
            Assert.Null(_sessions.SignIn(s_client, "wrong", out _, out TimeSpan none));
            Assert.Equal(TimeSpan.Zero, none);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Null(_sessions.SignIn(s_client, _token, out string? secret, out TimeSpan wait));
        Assert.Null(secret);
        Assert.Equal(TimeSpan.FromSeconds(55), wait);
        Assert.NotNull(_sessions.SignIn(IPAddress.Parse("192.0.2.2"), _token, out _, out _));

        _time.Advance(TimeSpan.FromSeconds(55));
        Assert.NotNull(_sessions.SignIn(s_client, _token, out _, out _));
    }

    [Fact]
    public void Tries_OfOneIpv6Network_AreOneAddress()
    {
        for (int i = 0; i < 5; i++)
        {
            _sessions.SignIn(IPAddress.Parse($"2001:db8::{i}"), "wrong", out _, out _);
        }

        Assert.Null(_sessions.SignIn(IPAddress.Parse("2001:db8::ffff"), _token, out _, out TimeSpan wait));
        Assert.True(wait > TimeSpan.Zero);
    }

    [Fact]
    public void Tries_OfManyAddresses_KeepTheirBound()
    {
        for (int i = 0; i < AdminSessions.MaxAddresses; i++)
        {
            _sessions.SignIn(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), "wrong", out _, out _);
        }

        Assert.Null(_sessions.SignIn(s_client, _token, out _, out TimeSpan wait));
        Assert.True(wait > TimeSpan.Zero);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(_sessions.SignIn(s_client, _token, out _, out _));
    }

    [Fact]
    public void Sessions_MoreThanAreKept_EndTheOldest()
    {
        SignIn(out string first);
        string last = first;
        for (int i = 0; i < AdminSessions.MaxSessions; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            SignIn(out last);
        }

        Assert.Null(_sessions.Find(first));
        Assert.NotNull(_sessions.Find(last));
    }

    public void Dispose() => _directory.Dispose();

    private AdminSession? SignIn(out string secret)
    {
        AdminSession? session = _sessions.SignIn(s_client, _token, out string? made, out _);
        secret = made!;
        return session;
    }
}
