using System.Diagnostics;
using System.Globalization;
using Breakwater.Proxy.Commands.Lab;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// <c>breakwater demo --vm</c>: a real machine, in QEMU, that boots the demo's miniature operating system through the proxy with the image
/// of deployment/microvm. Its console is shown.
/// </summary>
internal sealed class DemoMachine(string image, TimeSpan roundTrip, TextWriter console)
{
    /// <summary>Where an image is looked for when none is named.</summary>
    public const string DefaultImage = "/usr/share/breakwater/boot";

    private const string Emulator = "qemu-system-x86_64";
    private const string Marker = "/.cernvm_bootstrap ended with 0";
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(5);

    /// <summary>What is missing here, and how to get it; one sentence each.</summary>
    public static IReadOnlyList<string> Missing(string image, Func<string, string?> find)
    {
        List<string> missing = [];
        if (find(Emulator) is null)
        {
            missing.Add($"{Emulator} is not installed: apt-get install --no-install-recommends qemu-system-x86 seabios");
        }

        if (BootFolder.Missing(image) is { } files)
        {
            missing.Add(files + " Name another directory with --image.");
        }

        return missing;
    }

    /// <summary>Boots the machine. True: what it was to run has run to its end.</summary>
    /// <exception cref="DemoFailedException">Something that is needed is not here, or the machine does not end.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        if (Missing(image, ProgramPath.Find) is { Count: > 0 } missing)
        {
            throw new DemoFailedException(string.Join(Environment.NewLine, missing));
        }

        DirectoryInfo store = Directory.CreateTempSubdirectory("breakwater-demo-");
        try
        {
            using EmbeddedStratum1 stratum1 = new(DemoRepository.Load(), roundTrip);
            await using ProxyProcess proxy = await ProxyProcess.StartAsync(DemoRun.Settings(store, stratum1), cancellationToken);
            long start = Stopwatch.GetTimestamp();
            bool hasRun = await BootAsync(proxy.EndPoint.Port, cancellationToken);
            console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{(hasRun ? "It booted" : "It did not boot")} in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s; "
                + $"{stratum1.ObjectRequestCount} objects came from the Stratum 1, through the proxy."));
            return hasRun;
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    private async Task<bool> BootAsync(int port, CancellationToken cancellationToken)
    {
        using Process machine = Process.Start(Command(port))!;
        machine.StandardInput.Close();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_longest);
        try
        {
            bool hasRun = false;
            while (await machine.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                console.WriteLine(line.TrimEnd());
                hasRun |= line.Contains(Marker, StringComparison.Ordinal);
            }

            await machine.WaitForExitAsync(patience.Token);
            return hasRun;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DemoFailedException($"The machine has not ended in {s_longest.TotalMinutes:0} minutes.");
        }
        finally
        {
            if (!machine.HasExited)
            {
                machine.Kill();
            }
        }
    }

    private ProcessStartInfo Command(int port)
    {
        string publicKey = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "demo", "keys", DemoRepository.Fqrn + ".pub"));
        string proxy = string.Create(CultureInfo.InvariantCulture, $"10.0.2.2:{port}"); // this machine, as QEMU's own network has it
        var start = new ProcessStartInfo(Emulator) { RedirectStandardInput = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            "-accel", "tcg", "-m", "512", "-display", "none", "-monitor", "none", "-no-reboot", "-serial", "stdio",
            "-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n",
            "-kernel", Path.Combine(image, "vmlinuz"), "-initrd", Path.Combine(image, "initrd.img"),
            "-append", "console=ttyS0 quiet panic=1 cvmfs_panic=poweroff cernvm_path=cvm4 cvmfs_run=/.cernvm_bootstrap "
                + BootFolder.Words(DemoRepository.Fqrn, proxy, publicKey, tag: ""),
        ];
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
