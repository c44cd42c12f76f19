using System.Security.Cryptography;
using System.Text;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Takes changed master keys into force without a restart. A directory that lost all its keys changes nothing: that would turn verification
/// off.
/// </summary>
internal sealed partial class KeysWatch(RepositoryTrust trust, TrustOptions options, TimeProvider time, ILogger<KeysWatch> log)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly byte[] _content = new byte[MasterKeys.MaxKeyFileBytes]; // guarded by _gate: of one file at a time
    private string _seen = "";      // guarded by _gate: what the keys in force were read from
    private string? _before;        // guarded by _gate: what was there at the last look by the clock
    private string? _problem;       // guarded by _gate: what was said last, so that it is not said each second
    private ITimer? _timer;

    /// <summary>Looks at the directory now, and reads it again when it changed. Any thread.</summary>
    public void Look()
    {
        lock (_gate)
        {
            LookLocked(isByClock: false);
        }
    }

    /// <summary>Looks each second from now on; the keys in force were read before.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            try
            {
                _before = _seen = Fingerprint(options.KeysDirectory);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                SayLocked($"Repositories:KeysDirectory: {e.Message}");
            }
        }

        _timer = time.CreateTimer(static state => ((KeysWatch)state!).LookByClock(), this, s_interval, s_interval);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_timer is { } timer)
        {
            await timer.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    /// <summary>A look while another one is under way is left out.</summary>
    private void LookByClock()
    {
        if (!_gate.TryEnter())
        {
            return;
        }

        try
        {
            LookLocked(isByClock: true);
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <param name="isByClock">Then only a change that has stood still since the last look counts: a key may be half written.</param>
    private void LookLocked(bool isByClock)
    {
        try
        {
            string now = Fingerprint(options.KeysDirectory);
            bool stands = now == _before || !isByClock;
            _before = now;
            if (now == _seen || !stands)
            {
                return;
            }

            MasterKeys keys = MasterKeys.Load(options.KeysDirectory);
            _seen = now;
            _problem = null;
            foreach (string problem in keys.Problems)
            {
                LogProblem(log, problem);
            }

            if (keys.IsEmpty && !trust.Keys.IsEmpty)
            {
                LogGone(log, options.KeysDirectory);
                return;
            }

            trust.Keys = keys;
            LogRead(log, options.KeysDirectory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            SayLocked($"Repositories:KeysDirectory: {e.Message} The keys in force stay.");
        }
    }

    private void SayLocked(string problem)
    {
        if (problem != _problem)
        {
            _problem = problem;
            LogProblem(log, problem);
        }
    }

    /// <summary>
    /// Names and contents: two keys have the same length, and files from an image or a configuration map the same time.
    /// </summary>
    private string Fingerprint(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return "";
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var whole = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = false };
        foreach (string path in Directory.EnumerateFiles(directory, "*.pub", whole).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(path + "\n"));
            hash.AppendData(_content, 0, Read(path, _content));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>A file that cannot be read counts as empty: what is wrong with it is said when the keys are read.</summary>
    private static int Read(string path, byte[] content)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem}")]
    private static partial void LogProblem(ILogger log, string problem);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Directory} has no master key any more: those read before stay in force until it has one, or a restart")]
    private static partial void LogGone(ILogger log, string directory);

    [LoggerMessage(Level = LogLevel.Information, Message = "The master keys of {Directory} have changed and are in force")]
    private static partial void LogRead(ILogger log, string directory);
}
