using Microsoft.Extensions.Logging;

namespace Breakwater.Proxy.Tests.TestSupport;

/// <summary>Keeps what is said to the log, and what had failed.</summary>
internal sealed class LogLines<T> : ILogger<T>
{
    public List<string> Said { get; } = [];

    /// <summary>The exception of each line; null: it had none.</summary>
    public List<Exception?> Faults { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        Said.Add(formatter(state, exception));
        Faults.Add(exception);
    }
}
