using System.Globalization;
using System.Net.Sockets;
using System.Text;
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
            WriteWithoutNumber(logEntry, scopeProvider, textWriter);
            return;
        }

        Func<TState, Exception?, string> text = logEntry.Formatter;
        WriteWithoutNumber(
            new LogEntry<TState>(logEntry.LogLevel, logEntry.Category, logEntry.EventId, logEntry.State, null,
            (state, _) => $"{text(state, failure)}: {Sentence(failure)}"),
            scopeProvider,
            textWriter);
    }

    /// <summary>Behind a category the formatters for people write the number of an event, which nobody can look up.</summary>
    private void WriteWithoutNumber<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopes, TextWriter output)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        formatter.Write(entry, scopes, line);
        string numbered = string.Create(CultureInfo.InvariantCulture, $"{entry.Category}[{entry.EventId.Id}]");
        StringBuilder text = line.GetStringBuilder();
        int at = text.ToString().IndexOf(numbered, StringComparison.Ordinal);
        if (at >= 0)
        {
            text.Remove(at + entry.Category.Length, numbered.Length - entry.Category.Length).Insert(at + entry.Category.Length, ':');
        }

        output.Write(text);
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
