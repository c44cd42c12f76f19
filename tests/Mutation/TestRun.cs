using System.Diagnostics;
using System.Globalization;

namespace Breakwater.Mutation;

/// <summary>Runs tests of one assembly with one mutant switched on, or none.</summary>
internal static class TestRun
{
    private const string MemoryLimit = "0x60000000"; // 1.5 GiB: a mutant that allocates for ever must not take the machine with it

    /// <param name="assembly">Of the test project.</param>
    /// <param name="filter">Of vstest; null: all.</param>
    /// <param name="mutant">Which is switched on; null: none.</param>
    /// <param name="log">Where reached lines are noted; null: nowhere.</param>
    /// <param name="deadline">Then it counts as hanging.</param>
    /// <param name="endsAtFirstFailure">One failure tells enough.</param>
    public static async Task<TestRunResult> RunAsync(string assembly, string? filter, int? mutant, string? log, TimeSpan deadline,
        bool endsAtFirstFailure)
    {
        string temporary = Directory.CreateTempSubdirectory("breakwater-mutant-run-").FullName;
        ProcessStartInfo start =
            new("dotnet",
            ["vstest", assembly, "--logger:console;verbosity=normal", .. filter is null ? (string[])[] : ["--TestCaseFilter:" + filter]])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = temporary,
            };
        start.Environment["TMPDIR"] = temporary;
        start.Environment["DOTNET_GCHeapHardLimit"] = MemoryLimit;
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        if (mutant is { } id)
        {
            start.Environment["MUTANT_ACTIVE"] = id.ToString(CultureInfo.InvariantCulture);
        }

        if (log is not null)
        {
            start.Environment["MUTANT_LOG"] = log;
        }

        try
        {
            return await RunAsync(start, deadline, endsAtFirstFailure);
        }
        finally
        {
            try
            {
                Directory.Delete(temporary, recursive: true);
            }
            catch (IOException)
            {
                // A process of the test ends a moment later: the system's clean-up has it.
            }
        }
    }

    private static async Task<TestRunResult> RunAsync(ProcessStartInfo start, TimeSpan deadline, bool endsAtFirstFailure)
    {
        using Process process = Process.Start(start)!;
        _ = process.StandardError.ReadToEndAsync();
        List<string> failed = [];
        int ran = 0;
        bool isOver = false;
        using CancellationTokenSource over = new(deadline);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(over.Token) is { } line)
            {
                string text = line.Trim();
                if (text.StartsWith("Failed ", StringComparison.Ordinal) && text.Contains('.', StringComparison.Ordinal))
                {
                    ran++;
                    failed.Add(NameIn(text["Failed ".Length..]));
                    if (endsAtFirstFailure)
                    {
                        break;
                    }
                }
                else if (text.StartsWith("Passed ", StringComparison.Ordinal) && text.Contains('.', StringComparison.Ordinal))
                {
                    ran++;
                }

                isOver |= text.StartsWith("Total tests:", StringComparison.Ordinal)
                    || text.StartsWith("Test Run Successful", StringComparison.Ordinal);
            }
        }
        catch (OperationCanceledException)
        {
            // It hangs.
        }

        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        return new TestRunResult(failed, isOver || failed.Count > 0, ran);
    }

    /// <summary><c>A.B.Test(x: 1) [3 ms]</c>: <c>A.B.Test</c>.</summary>
    private static string NameIn(string text)
    {
        int end = text.AsSpan().IndexOfAny('(', ' ', '[');
        return end < 0 ? text : text[..end];
    }
}
