using System.Text.RegularExpressions;
using Breakwater.CacheStore;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Observability;

/// <summary>What is said before clients see it: certificates that end; and how the system's refusals stand in the log.</summary>
public sealed class CertificateHealthTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TlsAuthority _authority = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Find_ACertificateThatEndsWithinTwoDays_IsToldUntilItIsRenewed()
    {
        using ServerCertificates certificates = Certificates();
        var health = new CertificateHealth(certificates, _time);
        DateTime ends = certificates.Proxy!.Ends;

        _time.SetUtcNow(new DateTimeOffset(ends.AddDays(-2)));
        Assert.Empty(health.Find());
        _time.SetUtcNow(new DateTimeOffset(ends.AddDays(-2).AddSeconds(1)));
        HealthFinding finding = Assert.Single(health.Find());
        Assert.Equal(("tls-certificate-ends", HealthLevel.Degraded), (finding.Name, finding.Level));
        Assert.StartsWith($"Proxy:TlsCertificate: the certificate in force ends at {ends:yyyy-MM-dd HH:mm} UTC.", finding.Text,
            StringComparison.Ordinal);
        _time.SetUtcNow(new DateTimeOffset(ends));
        Assert.Contains(" in force ends at ", Assert.Single(health.Find()).Text, StringComparison.Ordinal);
        _time.SetUtcNow(new DateTimeOffset(ends.AddSeconds(1)));
        Assert.Contains(" in force ended at ", Assert.Single(health.Find()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_FilesThatBecameWrong_AreToldAndTheOldOneStays()
    {
        using ServerCertificates certificates = Certificates();
        var health = new CertificateHealth(certificates, _time);
        File.WriteAllText(_directory.Combine("proxy.pem"), "nothing");
        certificates.ReadAgain();

        HealthFinding finding = Assert.Single(health.Find());
        Assert.Equal("tls-certificate-refused", finding.Name);
        Assert.Contains("no certificate in PEM form", finding.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("simple", LogLevel.Error, "fail: Cat: Stopped: Disk full (No space)")]
    [InlineData("simple", LogLevel.Warning, "warn: Cat: Stopped: Disk full (No space)")]
    [InlineData("systemd", LogLevel.Error, "<3>Cat: Stopped: Disk full (No space)")]
    public void Log_OfWhatTheSystemRefuses_IsItsSentenceWithoutATrace(string formatter, LogLevel level, string said)
    {
        Assert.Equal(said, Line(formatter, level, new IOException("Disk full", new IOException("No space"))));
        Assert.EndsWith("Stopped: Disk full", Line(formatter, level, new IOException("Disk full")), StringComparison.Ordinal);
        Assert.EndsWith("Stopped: No space left", Line(formatter, level,
            new IOException("No space left", new IOException("No space"))), StringComparison.Ordinal); // once is enough
        Assert.EndsWith("Stopped", Line(formatter, level, null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LogLevel.Debug, true)]
    [InlineData(LogLevel.Information, false)]
    public void Log_ForDebugging_KeepsItsTrace(LogLevel level, bool hasTrace) => Assert.Equal(hasTrace,
        Line("simple", level, new IOException("Disk full")).Contains("System.IO.IOException", StringComparison.Ordinal));

    [Fact]
    public void Log_OfOurOwnFaults_KeepsItsTrace()
    {
        Assert.Contains("System.InvalidOperationException", Line("simple", LogLevel.Error, new InvalidOperationException("x")),
            StringComparison.Ordinal);
        Assert.Contains("System.InvalidOperationException",
            Line("simple", LogLevel.Error, new AggregateException(new IOException("a"), new InvalidOperationException("x"))),
            StringComparison.Ordinal);
        Assert.DoesNotContain("System.",
            Line("simple", LogLevel.Error, new AggregateException("all", new UnauthorizedAccessException("a"))), StringComparison.Ordinal);
    }

    private static string Line(string formatter, LogLevel level, Exception? failure)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddConsole());
        BriefFailures.Add(services);
        using ServiceProvider provider = services.BuildServiceProvider();
        ConsoleFormatter written = provider.GetServices<ConsoleFormatter>().Single(one => one.Name == formatter);
        using var output = new StringWriter();
        written.Write(new LogEntry<string>(level, "Cat", new EventId(7), "Stopped", failure, static (state, _) => state), null, output);
        return Regex.Replace(output.ToString().Trim(), @"\s+", " ");
    }

    private ServerCertificates Certificates()
    {
        (string certificate, string key) = _authority.Issue("proxy");
        File.WriteAllText(_directory.Combine("proxy.pem"), certificate + key);
        return new ServerCertificates(
            new BreakwaterSettings
            {
                Proxy = new ProxyOptions { TlsListen = ["[::]:3443"], TlsCertificate = _directory.Combine("proxy.pem") },
                Access = new AccessOptions(),
                Store = new StoreOptions(),
                Repositories = new Dictionary<string, RepositoryOptions>(),
            }, _time, NullLogger<ServerCertificate>.Instance);
    }
}
