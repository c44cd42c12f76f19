using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Breakwater.Proxy.Observability;

/// <summary>
/// The service's own log: what the system refuses (a port that is taken, a file without rights, a full disk) is said by its sentence. Its
/// stack trace tells an operator nothing; those of all other exceptions, and of what is logged for debugging, stay.
/// </summary>
internal sealed class BriefFailures(ConsoleFormatter formatter) : ConsoleFormatter(formatter.Name)
{
    /// <summary>Puts it before every formatter that is registered so far.</summary>
    public static void Add(IServiceCollection services)
    {
        foreach (ServiceDescriptor registered
            in services.Where(s => s.ServiceType == typeof(ConsoleFormatter) && s.ImplementationType is not null).ToList())
        {
            services.Remove(registered);
            services.AddSingleton<ConsoleFormatter>(provider =>
                new BriefFailures((ConsoleFormatter)ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!)));
        }
    }

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (logEntry is not { Exception: { } failure, LogLevel: > LogLevel.Debug } || !IsSystems(failure))
        {
            formatter.Write(logEntry, scopeProvider, textWriter);
            return;
        }

        Func<TState, Exception?, string> text = logEntry.Formatter;
        formatter.Write(
            new LogEntry<TState>(logEntry.LogLevel, logEntry.Category, logEntry.EventId, logEntry.State, null,
            (state, _) => $"{text(state, failure)}: {Sentence(failure)}"),
            scopeProvider,
            textWriter);
    }

    private static bool IsSystems(Exception failure) => failure switch
    {
        AggregateException all => all.InnerExceptions.All(IsSystems),
        _ => failure is IOException or UnauthorizedAccessException or SocketException or HttpRequestException,
    };

    private static string Sentence(Exception failure)
    {
        Exception cause = failure.GetBaseException();
        return failure.Message.Contains(cause.Message, StringComparison.Ordinal) ? failure.Message : $"{failure.Message} ({cause.Message})";
    }
}
