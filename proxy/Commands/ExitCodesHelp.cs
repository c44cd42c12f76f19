using System.CommandLine;
using System.CommandLine.Invocation;

namespace Breakwater.Proxy.Commands;

/// <summary><c>--help</c> with the exit codes below it.</summary>
/// <param name="help">The help as the library writes it.</param>
internal sealed class ExitCodesHelp(SynchronousCommandLineAction help) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Exit codes:");
        foreach ((int number, string meaning) in ExitCodes.Of(parseResult.CommandResult.Command))
        {
            output.WriteLine($"  {number,-4} {meaning}");
        }

        output.WriteLine();
        return code;
    }
}
