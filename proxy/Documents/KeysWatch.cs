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
    : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private string _seen = ""; // guarded by _gate

    /// <summary>Looks at the directory, and reads it again when it changed. Any thread.</summary>
    public void Look()
    {
        lock (_gate)
        {
            LookLocked();
        }
    }

    private void LookLocked()
    {
        try
        {
            string now = Fingerprint(options.KeysDirectory);
            if (now == _seen)
            {
                return;
            }

            MasterKeys keys = MasterKeys.Load(options.KeysDirectory);
            _seen = now;
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
            LogProblem(log, $"Repositories:KeysDirectory: {e.Message} The keys in force stay.");
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The keys in force were read at the start.
        try
        {
            _seen = Fingerprint(options.KeysDirectory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogProblem(log, $"Repositories:KeysDirectory: {e.Message}");
        }

        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Look();
            }
        }
        catch (OperationCanceledException)
        {
            // The proxy stops.
        }
    }

    /// <summary>
    /// Names and contents: two keys have the same length, and files from an image or a configuration map the same time.
    /// </summary>
    private static string Fingerprint(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return "";
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = false };
        byte[] content = new byte[MasterKeys.MaxKeyFileBytes];
        foreach (string path in Directory.EnumerateFiles(directory, "*.pub", options).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(path + "\n"));
            hash.AppendData(content, 0, Read(path, content));
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
