using System.CommandLine;
using System.CommandLine.Invocation;
using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// What is said of a command that failed: one sentence on standard error and an exit code. A stack trace tells an operator nothing.
/// </summary>
internal static class Failures
{
    /// <summary>Set to anything, a fault of the program itself is told with its stack trace.</summary>
    private const string TraceVariable = "BREAKWATER_TRACE";

    /// <summary>Runs a command line to its end; gives the exit code.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="cancellationToken">A signal that ends the command.</param>
    public static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.Action is ParseErrorAction wrong)
        {
            // Its sentence must not scroll away above a page of help.
            wrong.ShowHelp = false;
            parsed.Invoke(new InvocationConfiguration { Output = Console.Error });
            string name = $"breakwater {ExitCodes.NameOf(parsed.CommandResult.Command)}".TrimEnd();
            Console.Error.WriteLine($"'{name} --help' says what there is.");
            return ExitCodes.WrongUsage;
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }, cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return Tell(e);
        }
    }

    /// <summary>Tells it; gives the exit code.</summary>
    public static int Tell(Exception failure)
    {
        (int code, string sentence) = failure switch
        {
            OperationCanceledException => (ExitCodes.Interrupted, "Interrupted."),
            SettingsException => (ExitCodes.WrongSettings, failure.Message),
            AdminException or HttpRequestException => (ExitCodes.Unavailable, Sentence(failure)),
            StoreInUseException or IOException or UnauthorizedAccessException or SocketException =>
                (ExitCodes.CannotStart, Sentence(failure)),
            _ => (ExitCodes.Fault, $"This is a fault of breakwater itself: {failure.GetType().Name}: {Sentence(failure)}{Trace(failure)}"),
        };
        try
        {
            Console.Error.WriteLine(sentence);
        }
        catch (IOException)
        {
            // Standard error is full or gone: the code says it.
        }

        return code;
    }

    private static string Sentence(Exception failure)
    {
        Exception cause = failure.GetBaseException();
        return failure.Message.Contains(cause.Message, StringComparison.Ordinal) ? failure.Message : $"{failure.Message} ({cause.Message})";
    }

    private static string Trace(Exception failure) => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(TraceVariable))
        ? $"{Environment.NewLine}Run it again with {TraceVariable}=1 in the environment to see where, and report it with that."
        : Environment.NewLine + failure;
}
