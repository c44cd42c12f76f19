using System.Security.Cryptography;
using System.Text;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Holdings;

/// <summary>
/// Makes this machine hold what the settings declare: pins, seeds and permissions to go back. At the start, at a reload, and again every
/// minute while something is declared: a Stratum 1 that was down, a new revision, a file that was replaced. What has left the settings is
/// gone before the first client is served. Thread-safe.
/// </summary>
internal sealed partial class Declarations(
    BreakwaterSettings settings, DeclaredSeeds seeds, DeclaredPins pins, AllowedRevisions revisions, TimeProvider time,
    ILogger<Declarations> log) : BackgroundService, IHealthSource
{
    private static readonly TimeSpan s_lookAgainAfter = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private CancellationTokenSource? _round;                   // guarded by _gate: what is being done by the settings in force
    private volatile BreakwaterSettings _settings = settings;
    private volatile IReadOnlyList<Declared> _ended = [];      // replaced whole
    private BreakwaterSettings? _removed;                      // those by which what is not declared was let go; of rounds alone

    /// <summary>All that is declared, and how far it is.</summary>
    public IReadOnlyList<Declared> All
    {
        get
        {
            IReadOnlyList<Declared> ended = _ended;
            return [.. Names(_settings).Select(name => ended.FirstOrDefault(one => one.Setting == name)
                ?? new Declared(name, DeclaredState.UnderWay, null)),
                .. revisions.All.Select(one => new Declared($"Repositories:{one.Fqrn}:AllowRevision", one.IsUsed
                    ? DeclaredState.Done
                    : DeclaredState.Waits,
                    one.IsUsed
                    ? $"used: it went back to revision {one.Floor} or later; take the setting out"
                    : $"waits for a Stratum 1 that shows an older revision, {one.Floor} or later"))];
        }
    }

    /// <summary>Of all that is declared: two machines with the same have the same.</summary>
    public string Digest
    {
        get
        {
            BreakwaterSettings declared = _settings;
            IEnumerable<string> all = declared.Pins.OrderBy(one => one.Key, StringComparer.Ordinal)
                .Select(one => $"pin {one.Key} {one.Value.Repository} {one.Value.Tag} {one.Value.All} {string.Join(' ', one.Value.Paths)}")
                .Concat(declared.Seeds.Files.Order(StringComparer.Ordinal).Select(file => $"seed {file}"))
                .Concat(revisions.All.Select(one => $"revision {one.Fqrn} {one.Floor}"));
            byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', all));
            return Convert.ToHexStringLower(SHA256.HashData(text).AsSpan(0, 8));
        }
    }

    /// <summary>New settings are in force: what was under way by the old ones ends.</summary>
    public void Take(BreakwaterSettings changed)
    {
        lock (_gate)
        {
            _settings = changed;
            _round?.Cancel();
        }
    }

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        RemoveOthers(_settings);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() => _ended.Where(one => one.State == DeclaredState.Failed).Select(one =>
        new HealthFinding("declared-state", HealthLevel.Degraded, $"{one.Setting}: {one.Text} It is tried again every minute."));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using var round = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            BreakwaterSettings declared;
            lock (_gate)
            {
                _round = round;
                declared = _settings;
            }

            try
            {
                if (!ReferenceEquals(declared, _removed))
                {
                    RemoveOthers(declared);
                }

                await ApplyAsync(declared, round.Token);
                bool isAny = declared.Pins.Count > 0 || declared.Seeds.Files.Length > 0 || !ReferenceEquals(declared, _removed);
                await Task.Delay(isAny ? s_lookAgainAfter : Timeout.InfiniteTimeSpan, time, round.Token);
            }
            catch (OperationCanceledException) when (round.IsCancellationRequested)
            {
                // Other settings, or the end.
            }
            finally
            {
                lock (_gate)
                {
                    _round = null;
                }
            }
        }
    }

    private async Task ApplyAsync(BreakwaterSettings declared, CancellationToken cancellationToken)
    {
        foreach (string file in declared.Seeds.Files)
        {
            await NoteAsync(NameOf(file), () => seeds.ApplyAsync(file, cancellationToken), cancellationToken);
        }

        foreach ((string name, PinOptions pin) in declared.Pins)
        {
            await NoteAsync($"Pins:{name}", () => pins.ApplyAsync(name, pin, cancellationToken), cancellationToken);
        }
    }

    /// <summary>Whatever goes wrong with one is told of it, and the others are done all the same.</summary>
    private async Task NoteAsync(string setting, Func<Task<string?>> apply, CancellationToken cancellationToken)
    {
        string? problem;
        try
        {
            problem = await apply();
        }
        catch (Exception e) when (e is not OutOfMemoryException
            && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            problem = e.Message;
        }

        cancellationToken.ThrowIfCancellationRequested();
        Declared ended = new(setting, problem is null ? DeclaredState.Done : DeclaredState.Failed, problem);
        Declared? before = _ended.FirstOrDefault(one => one.Setting == setting);
        _ended = [.. _ended.Where(one => one.Setting != setting), ended];
        if (problem is not null && before?.Text != problem)
        {
            LogFailed(log, setting, problem);
        }
        else if (problem is null && before?.State != DeclaredState.Done)
        {
            LogDone(log, setting);
        }
    }

    private void RemoveOthers(BreakwaterSettings declared)
    {
        string[] names = [.. Names(declared)];
        _ended = [.. _ended.Where(one => names.Contains(one.Setting, StringComparer.Ordinal))];
        try
        {
            foreach (string gone in seeds.RemoveOthers(declared.Seeds.Files).Select(name => "seed " + name)
                .Concat(pins.RemoveOthers(declared.Pins).Select(name => "pin " + name)))
            {
                LogRemoved(log, gone);
            }

            _removed = declared;
        }
        catch (Exception e) when (e is IOException or SeedStoreException)
        {
            LogFailed(log, "Pins, Seeds:Files", e.Message);
        }
    }

    private static IEnumerable<string> Names(BreakwaterSettings declared) =>
        declared.Seeds.Files.Select(NameOf).Concat(declared.Pins.Keys.Select(name => $"Pins:{name}"));

    private static string NameOf(string file) => $"Seeds:Files: {file}";

    [LoggerMessage(Level = LogLevel.Information, Message = "{Setting} is as declared")]
    private static partial void LogDone(ILogger log, string setting);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{What} is not declared in the settings any more and was let go")]
    private static partial void LogRemoved(ILogger log, string what);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Setting}: {Problem} It is tried again every minute")]
    private static partial void LogFailed(ILogger log, string setting, string problem);
}
