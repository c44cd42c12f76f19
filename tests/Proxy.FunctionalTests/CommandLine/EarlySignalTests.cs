using System.Diagnostics;
using System.Runtime.InteropServices;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>A service manager may stop what it has just started: that is a stop, not a failure.</summary>
public sealed partial class EarlySignalTests : IDisposable
{
    private const int Terminate = 15;
    private const int Interrupt = 2;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(Terminate)]
    [InlineData(Interrupt)]
    public async Task Signal_BeforeTheSettingsAreRead_EndsInOrder(int signal)
    {
        // A pipe for the settings: whoever could open its other end knows that the process is at reading them, and goes no further.
        string settings = _directory.Combine("settings.json");
        using (var mkfifo = Process.Start("mkfifo", settings))
        {
            await mkfifo.WaitForExitAsync().InTimeAsync();
        }

        // Whoever runs the tests in the background of a shell ignores SIGINT, and his children inherit that.
        ProcessStartInfo own = ProxyProcess.OwnExecutable();
        var start = new ProcessStartInfo("env");
        foreach (string argument in (string[])
            ["--default-signal=INT", own.FileName, .. own.ArgumentList, "serve", "--settings", settings])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["Store__Path"] = _directory.Combine("store");
        start.Environment["Proxy__Listen__0"] = "127.0.0.1:0";
        start.Environment["Admin__Listen"] = "127.0.0.1:0";
        start.Environment["Proxy__Offline"] = "true";
        using Process process = Process.Start(start)!;
        try
        {
            await using (FileStream writer = await Task.Run(() =>
                new FileStream(settings, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0)).InTimeAsync())
            {
                Assert.Equal(0, Kill(process.Id, signal));
                string file = _directory.Combine("file.json");
                await File.WriteAllTextAsync(file, "{}");
                File.Move(file, settings, overwrite: true); // for who reads them again
                await writer.WriteAsync("{}"u8.ToArray());
            }

            await process.WaitForExitAsync().InTimeAsync();
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
