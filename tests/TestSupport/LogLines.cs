using Microsoft.Extensions.Logging;

namespace Breakwater.TestSupport;

/// <summary>Keeps what is said to the log, how serious it was, and what had failed. Thread-safe.</summary>
public class LogLines : ILogger
{
    private readonly List<(LogLevel Level, string Text, Exception? Fault)> _lines = []; // guarded by itself

    /// <summary>The text of each line so far.</summary>
    public IReadOnlyList<string> Said => Of(line => line.Text);

    /// <summary>How serious each line was.</summary>
    public IReadOnlyList<LogLevel> Levels => Of(line => line.Level);

    /// <summary>The exception of each line; null: it had none.</summary>
    public IReadOnlyList<Exception?> Faults => Of(line => line.Fault);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        lock (_lines)
        {
            _lines.Add((logLevel, formatter(state, exception), exception));
        }
    }

    private IReadOnlyList<T> Of<T>(Func<(LogLevel Level, string Text, Exception? Fault), T> part)
    {
        lock (_lines)
        {
            return [.. _lines.Select(part)];
        }
    }
}

/// <summary>The same for a room that wants a log of its own name.</summary>
public sealed class LogLines<T> : LogLines, ILogger<T>;
