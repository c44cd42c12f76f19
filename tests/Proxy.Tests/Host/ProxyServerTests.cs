using System.Text;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Breakwater.Proxy.Tests.Host;

/// <summary>Whatever a room has to say, to do in the background or to take at a reload is put together with the others.</summary>
public sealed class ProxyServerTests(BuiltProxy proxy) : IClassFixture<BuiltProxy>
{
    [Theory]
    [InlineData(typeof(IAdminRoom))]
    [InlineData(typeof(IHealthSource))]
    [InlineData(typeof(IHostedService))]
    [InlineData(typeof(IStatusPart))]
    public void Parts_OfEachKind_AreAllThere(Type kind)
    {
        // Those are where a service manager, or a file of settings that is watched, is; the last one the admin port makes itself.
        Type[] elsewhere = [typeof(ServiceManager), typeof(SettingsHealth), typeof(SessionRoom)];

        IEnumerable<string> wanted = typeof(ProxyServer).Assembly.GetTypes()
            .Where(type => type is { IsAbstract: false, IsClass: true } && kind.IsAssignableFrom(type) && !elsewhere.Contains(type))
            .Select(type => type.Name).Order(StringComparer.Ordinal);
        IEnumerable<string> there = proxy.Services.GetServices(kind).Select(part => part!.GetType())
            .Where(type => type.Assembly == typeof(ProxyServer).Assembly).Select(type => type.Name).Distinct()
            .Order(StringComparer.Ordinal);

        Assert.Equal(wanted, there);
    }

    [Fact]
    public void Rooms_ThatTakeReloadedSettings_AreAllThere() => Assert.Equal(
        [
            "AddressGuard", "AllowedRevisions", "Balancers", "BreakwaterSettings", "ClientAccess", "ClientLimits", "ConnectAccess",
            "Declarations", "DestinationAccess", "DestinationClients", "DocumentCache", "HttpPolicy", "KeysWatch", "ParentProxies",
            "ProxyUsers", "RepositoryRoutes", "SeedOptions", "SeedStart", "ServerCertificates", "StoreShares", "TrustOptions",
            "UpstreamPace", "UpstreamTlsFiles",
        ],
        proxy.Services.GetServices<IReloadable>().Select(room => room.GetType().GenericTypeArguments.Single().Name)
            .Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("breakwater.fetches")]
    [InlineData("breakwater.health")]
    [InlineData("breakwater.boots")]
    [InlineData("breakwater.unstored")]
    [InlineData("breakwater.http.urls")]
    [InlineData("breakwater.repositories.stored")]
    [InlineData("breakwater.cluster.nodes")]
    public void Gauges_BeforeAnybodyAsks_AreThere(string name) => Assert.Contains(name, proxy.Instruments);

    [Fact]
    public void Log_OfEachFormat_LeavesOutTracesOfWhatTheSystemRefuses() => Assert.All(
        proxy.Services.GetServices<ConsoleFormatter>(), formatter => Assert.IsType<BriefFailures>(formatter));

    [Fact]
    public void Connections_WithTheLoops_KeepToTheRulesThatKestrelHas()
    {
        KestrelServerOptions kestrel = proxy.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value;

        AssertLimits(kestrel, proxy.Services);
        Assert.Equal((null, TimeSpan.FromDays(1)), (kestrel.Limits.MinResponseDataRate, kestrel.Limits.KeepAliveTimeout));
    }

    [Fact]
    public async Task Connections_WithoutTheLoops_AreCutByKestrelItself()
    {
        await using WebApplication app = proxy.BuildWithoutLoops();
        KestrelServerOptions kestrel = app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value;

        AssertLimits(kestrel, app.Services);
        MinDataRate rate = kestrel.Limits.MinResponseDataRate!;
        Assert.Equal((240.0, TimeSpan.FromSeconds(42), TimeSpan.FromMinutes(5)),
            (rate.BytesPerSecond, rate.GracePeriod, kestrel.Limits.KeepAliveTimeout));
    }

    private static void AssertLimits(KestrelServerOptions kestrel, IServiceProvider services)
    {
        KestrelServerLimits limits = kestrel.Limits;
        Assert.Equal((false, true), (kestrel.AddServerHeader, kestrel.AllowHostHeaderOverride));
        Assert.Equal((0L, 64, 16 << 10, 64L << 10),
            (limits.MaxRequestBodySize, limits.MaxRequestHeaderCount, limits.MaxRequestHeadersTotalSize, limits.MaxResponseBufferSize));
        Assert.Equal(ConnectionRules.MaxRequestLineBytes, limits.MaxRequestLineSize);
        Assert.Equal(TimeSpan.FromSeconds(7), limits.RequestHeadersTimeout);
        Assert.Equal(services.GetRequiredService<ConnectionRules>().MaxConnections, limits.MaxConcurrentConnections);
        Assert.Equal((Encoding.Latin1, Encoding.Latin1),
            (kestrel.RequestHeaderEncodingSelector("x"), kestrel.ResponseHeaderEncodingSelector("x")));
    }
}
