using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Breakwater.Proxy.Tests.TestSupport;

/// <summary>
/// Tests fail, they do not hang, and none depends on how busy the machine is: every wait has a deadline (<c>Waiting</c> in
/// tests/TestSupport), nobody sleeps. Exceptions are in <c>allowed-waits.tsv</c> beside this file: path, how many, why.
/// </summary>
public sealed partial class WaitsOfTestsTests
{
    [Fact]
    public void Sources_OfAllTests_SleepAndWaitOnlyWhereTheListAllowsIt()
    {
        Dictionary<string, (int Count, string Why)> allowed = File.ReadLines(Beside("allowed-waits.tsv"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('\t')).ToDictionary(f => f[0], f => (int.Parse(f[1], CultureInfo.InvariantCulture), f[2]));
        List<string> wrong = [];
        string tests = Path.GetFullPath(Beside("../.."));
        foreach (string path in Directory.EnumerateFiles(tests, "*.cs", SearchOption.AllDirectories))
        {
            string file = Path.GetRelativePath(tests, path).Replace('\\', '/');
            if (file.Split('/').Any(part => part is "obj" or "bin" or "Mutation"))
            {
                continue;
            }

            string[] found =
                [.. File.ReadAllLines(path).Select((line, i) => (line, i)).Where(l => Undeadlined().IsMatch(l.line))
                .Select(l => $"{file}:{l.i + 1}: {l.line.Trim()}")];
            allowed.Remove(file, out (int Count, string Why) may);
            if (found.Length != may.Count)
            {
                wrong.Add($"{file}: {found.Length} where {may.Count} are allowed:\n  {string.Join("\n  ", found)}");
            }
        }

        wrong.AddRange(allowed.Keys.Select(file => file + " is in the list, not among the tests."));
        Assert.True(wrong.Count == 0,
            "Use Waiting.UntilAsync or InTimeAsync of tests/TestSupport, or say in allowed-waits.tsv why not.\n"
            + string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("await Task.Delay(5);", true)]
    [InlineData("Thread.Sleep(1);", true)]
    [InlineData("await process.WaitForExitAsync();", true)]
    [InlineData("await process.WaitForExitAsync().InTimeAsync();", false)]
    [InlineData("process.WaitForExit();", true)]
    [InlineData("using Socket s = await server.AcceptAsync();", true)]
    [InlineData("using Socket s = await server.AcceptAsync().InTimeAsync();", false)]
    [InlineData("using TcpClient c = await server.AcceptTcpClientAsync();", true)]
    [InlineData("n = await socket.ReceiveAsync(heard.AsMemory(n));", true)]
    [InlineData("await manager.ReceiveAsync();", true)]
    [InlineData("await manager.ReceiveAsync().InTimeAsync();", false)]
    [InlineData("n = await socket.ReceiveAsync(heard, SocketFlags.None, stop);", false)]
    [InlineData("done.Task.Wait();", true)]
    [InlineData("seen.WaitOne();", true)]
    public void Rule_ALine_IsAWaitWithoutADeadlineOrNot(string line, bool isFound) => Assert.Equal(isFound, Undeadlined().IsMatch(line));

    [GeneratedRegex(@"\bTask\.Delay\(|\bThread\.Sleep\(|\bSpinWait\.|"
        + @"\.(WaitForExitAsync|WaitForExit|Accept\w*Async|ReceiveAsync|Wait|WaitOne)\(\)(?!\.InTimeAsync)|"
        + @"\.ReceiveAsync\((\w+|\w+\.As\w+\(\w*\))\)(?!\.InTimeAsync)")]
    private static partial Regex Undeadlined();

    /// <summary>
    /// What waits for a fake clock may not wait yet when the clock goes: it goes again and again while the test waits. Where once is
    /// enough, since what follows compares times and has no timer, the line says so: <c>// once: …</c>.
    /// </summary>
    [Fact]
    public void Sources_OfAllTests_LetAFakeClockGoWhileTheyWaitForWhatItBrings()
    {
        string tests = Path.GetFullPath(Beside("../.."));
        string[] wrong = [.. Directory.EnumerateFiles(tests, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(tests, path))
            .Where(file => !file.Split('/').Any(part => part is "obj" or "bin"))
            .SelectMany(file => ClocksThatGoOnce(File.ReadAllLines(Path.Combine(tests, file))).Select(line => $"{file}:{line}"))];
        Assert.True(wrong.Length == 0, "Advance within the wait, or say '// once: why':\n" + string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("time.Advance(second);\n\nawait Waiting.UntilAsync(() => done);", true)]
    [InlineData("time.Advance(second); // once: it compares\nawait Waiting.UntilAsync(() => done);", false)]
    [InlineData("time.Advance(second);\nawait Waiting.UntilAsync(() =>\n{\n    time.Advance(second);\n    return done;\n});", false)]
    [InlineData("time.Advance(second);\nawait Waiting.UntilAsync(() =>\n{\n    return done;\n});\ntime.Advance(second);", true)]
    [InlineData("time.Advance(second);\nAssert.True(done);\nawait Waiting.UntilAsync(() => done);", false)]
    public void Rule_AClock_GoesOnceBeforeAWaitOrNot(string source, bool isFound) =>
        Assert.Equal(isFound, ClocksThatGoOnce(source.Split('\n')).Any());

    /// <summary>Numbers of the lines that advance a clock right before a wait in which it does not go.</summary>
    private static IEnumerable<int> ClocksThatGoOnce(string[] lines)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            int wait = Array.FindIndex(lines, i + 1, line => line.Trim().Length > 0);
            if (wait < 0 || !lines[i].Contains(".Advance(", StringComparison.Ordinal)
                || lines[i].Contains("// once: ", StringComparison.Ordinal)
                || !lines[wait].TrimStart().StartsWith("await Waiting.UntilAsync(", StringComparison.Ordinal))
            {
                continue;
            }

            int end = Array.FindIndex(lines, wait, line => line.EndsWith(");", StringComparison.Ordinal)
                && Indent(line) <= Indent(lines[wait]));
            if (!lines[wait..(end < 0 ? lines.Length : end)].Any(line => line.Contains(".Advance(", StringComparison.Ordinal)))
            {
                yield return i + 1;
            }
        }

        static int Indent(string line) => line.Length - line.TrimStart().Length;
    }

    private static string Beside(string name, [CallerFilePath] string here = "") => Path.Combine(here, "..", name);
}
