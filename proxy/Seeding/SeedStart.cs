using System.Diagnostics.Metrics;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding;

/// <summary>
/// At start, and when the master keys change: completes what a crash may have cut short, and says what can be booted and until when. Knows
/// of whitelists near their end.
/// </summary>
internal sealed class SeedStart : IHostedService, IHealthSource
{
    /// <summary>Who publishes must act, perhaps where the master key is: earlier than who only hears of it.</summary>
    private static readonly TimeSpan s_publisherWarning = TimeSpan.FromDays(14);

    private readonly SeedRegistry _seeds;
    private readonly ProxyOptions _options;
    private readonly TimeProvider _time;
    private readonly RepositoryTrust _trust;
    private readonly ILogger<SeedStart> _log;

    public SeedStart(SeedRegistry seeds, ProxyOptions options, IMeterFactory meters, RepositoryTrust trust, TimeProvider time,
        ILogger<SeedStart> log)
    {
        (_seeds, _options, _trust, _time, _log) = (seeds, options, trust, time, log);
        meters.Create(ProxyCounters.MeterName).CreateObservableGauge(
            "breakwater.seed.first_boots_left", MeasureTimeLeft, "s",
            "Until the whitelist ends, and with it first boots, by snapshot that a seed brought; below 0: reboots only.");
    }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _seeds.RevealAllAsync();
        _trust.KeysChanged += RevealAgain;
        if (!_options.Offline)
        {
            return;
        }

        string[] statements = [.. Statements()];
        _log.LogInformation("Offline: no Stratum 1 is asked. {Count} bootable", statements.Length == 0 ? "Nothing is" : "These are");
        foreach (string statement in statements)
        {
            _log.LogInformation("Offline: {Statement}", statement);
        }

        if (statements.Length == 0)
        {
            _log.LogWarning(
                "Offline, and no seed is imported: every request will be a 404. Import one with 'breakwater seed import FILE'.");
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _trust.KeysChanged -= RevealAgain;
        return Task.CompletedTask;
    }

    /// <summary>In the background: what other keys, or settings, refused may be good by those in force now, and the reverse.</summary>
    public void RevealAgain() => _ = Task.Run(async () =>
    {
        try
        {
            await _seeds.RevealAllAsync();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            _log.LogError(e, "The seeds could not be judged by the keys and settings that are in force now; a restart does it again.");
        }
    });

    /// <summary>What the seeds boot, a sentence for each snapshot.</summary>
    public IEnumerable<string> Statements() => Bootable().Select(item =>
    {
        string until = item.Expires <= _time.GetUtcNow()
            ? $"reboots only: the whitelist expired at {item.Expires:u}"
            : $"first boots until {item.Expires:u}, reboots for ever";
        string what = item.Snapshot.Tag.Length == 0 ? "trunk" : $"tag {item.Snapshot.Tag}";
        return $"{item.Fqrn} {what} (revision {item.Snapshot.Revision}, {item.Snapshot.Scope}; {until})";
    });

    private IEnumerable<Measurement<double>> MeasureTimeLeft() =>
        Bootable().DistinctBy(item => (item.Fqrn, item.Snapshot.Tag)).Select(item => new Measurement<double>(
        Math.Floor((item.Expires - _time.GetUtcNow()).TotalSeconds),
        new("repository", item.Fqrn),
        new("tag", item.Snapshot.Tag.Length == 0 ? "trunk" : item.Snapshot.Tag)));

    private IEnumerable<(string Fqrn, SeedSnapshot Snapshot, DateTimeOffset Expires)> Bootable() =>
        from seed in _seeds.List()
        from repository in seed.Repositories
        let expires = _seeds.HeldWhitelist(repository.Fqrn)?.ExpiresAt ?? repository.WhitelistExpires
        from snapshot in repository.Snapshots
        select (repository.Fqrn, snapshot, expires);

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        string[] published =
            [.. _seeds.List().SelectMany(seed => seed.Repositories).Select(repository => repository.Fqrn).Distinct(StringComparer.Ordinal)
                .Where(_seeds.IsPublished)];
        foreach (string fqrn in published)
        {
            if (_seeds.HeldWhitelist(fqrn) is { } whitelist && whitelist.ExpiresAt - _time.GetUtcNow() <= s_publisherWarning)
            {
                yield return new HealthFinding(
                    "published-whitelist-ends", HealthLevel.Degraded,
                    $"The whitelist of {fqrn}, which is published here, ends at {whitelist.ExpiresAt:u}: machines that boot it for the "
                    + $"first time refuse it then. Sign it again with 'breakwater publish whitelist --repository {fqrn}'.");
            }
        }

        if (!_options.Offline)
        {
            yield break;
        }

        if (_seeds.List().Count == 0)
        {
            yield return new HealthFinding(
                "offline-without-seeds", HealthLevel.Degraded,
                "Proxy:Offline is set, so no Stratum 1 is asked, and no seed is imported: nothing can be booted from here, and requests "
                + "for what the store does not happen to have are answered 404. Import a bundle with 'breakwater seed import FILE'.");
        }

        foreach (string fqrn
            in _seeds.List().SelectMany(seed => seed.Repositories).Select(repository => repository.Fqrn).Distinct(StringComparer.Ordinal)
                .Except(published, StringComparer.Ordinal))
        {
            if (_seeds.HeldWhitelist(fqrn) is { } whitelist && whitelist.ExpiresAt - _time.GetUtcNow() <= TrustVerdict.ExpiryWarning)
            {
                yield return new HealthFinding(
                    "whitelist-expires", HealthLevel.Degraded,
                    $"The whitelist of {fqrn} ends at {whitelist.ExpiresAt:u}: then only reboots work. Export a new one with 'seed "
                    + $"export {fqrn} --whitelist-only' and import it here.");
            }
        }
    }
}
