using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary><c>breakwater</c> in a pseudo-terminal (made by <c>script</c> of util-linux), with somebody at its keyboard.</summary>
internal sealed partial class Terminal : IAsyncDisposable
{
    private const string Home = "\e[H";

    private readonly Process _script;
    private readonly Task _reading;
    private readonly StringBuilder _output = new(); // guarded by itself

    private Terminal(Process script)
    {
        _script = script;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>All that was written so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts a command in a terminal of this size.</summary>
    public static Terminal Start(IReadOnlyDictionary<string, string> settings, int rows, int columns, string command)
    {
        ProcessStartInfo own = ProxyProcess.OwnExecutable();
        string line = string.Join(' ', new[] { own.FileName }.Concat(own.ArgumentList).Append(command));
        // As a terminal gives them: whoever runs the tests in the background (nohup … &) ignores Ctrl-C, and what it starts does so, too.
        ProcessStartInfo start =
            new("script",
            ["-qfec", $"tty; stty rows {rows} cols {columns}; exec env --default-signal=INT,QUIT {line}", "/dev/null"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true
            };
        foreach ((string name, string value) in settings)
        {
            start.Environment[name] = value;
        }

        start.Environment["TERM"] = "xterm-256color";
        start.Environment["SHELL"] = "/bin/sh";
        return new Terminal(Process.Start(start)!);
    }

    /// <summary>Types.</summary>
    public async Task TypeAsync(string keys)
    {
        await _script.StandardInput.WriteAsync(keys);
        await _script.StandardInput.FlushAsync();
    }

    /// <summary>Gives the terminal another size, as a window that is dragged; the command is told by SIGWINCH.</summary>
    public async Task ResizeAsync(int rows, int columns)
    {
        using Process stty =
            Process.Start(new ProcessStartInfo("stty", ["-F", Device().Match(Output).Value, "rows", $"{rows}", "cols", $"{columns}"]))!;
        await stty.WaitForExitAsync().InTimeAsync();
        Assert.Equal(0, stty.ExitCode);
    }

    /// <summary>The first whole screen, drawn after this call, of which it holds; its lines without colours.</summary>
    public async Task<string[]> ScreenAsync(Func<string[], bool> holds)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        int from = Output.Length;
        while (true)
        {
            string[] screens = Output[from..].Split(Home);
            foreach (string screen in screens.Length > 2 ? screens[1..^1] : [])
            {
                string[] lines = [.. Codes().Replace(screen, "").Split('\n').Select(l => l.TrimEnd())];
                if (holds(lines))
                {
                    return lines;
                }
            }

            Assert.False(_script.HasExited, Output);
            await Task.Delay(20, patience.Token);
        }
    }

    /// <summary>Waits for the command's end; its exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _script.WaitForExitAsync().InTimeAsync();
        await _reading.InTimeAsync();
        return _script.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_script.HasExited)
        {
            _script.Kill(entireProcessTree: true);
        }

        await EndAsync();
        _script.Dispose();
    }

    private async Task ReadAsync()
    {
        char[] buffer = new char[4096];
        int read;
        while ((read = await _script.StandardOutput.ReadAsync(buffer)) > 0)
        {
            lock (_output)
            {
                _output.Append(buffer, 0, read);
            }
        }
    }

    [GeneratedRegex("/dev/pts/[0-9]+")]
    private static partial Regex Device();

    [GeneratedRegex(@"\e\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Codes();
}
