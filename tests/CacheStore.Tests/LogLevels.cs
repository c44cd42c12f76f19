using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Tests;

/// <summary>Keeps how serious each line of the log was.</summary>
internal sealed class LogLevels : ILogger
{
    private readonly List<LogLevel> _said = [];

    /// <summary>Those of all lines so far.</summary>
    public IReadOnlyList<LogLevel> Said
    {
        get
        {
            lock (_said)
            {
                return [.. _said];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        lock (_said)
        {
            _said.Add(logLevel);
        }
    }
}
