using System.Diagnostics;
using System.Security.Cryptography;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands.Lab;
using Breakwater.Proxy.FunctionalTests.Publishing;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.WorkingSets;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Machines;

/// <summary>
/// A real machine, emulated by QEMU without KVM, whose operating system is a small published repository: kernel and initrd of the boot
/// image, its mount, this proxy. It says the hash of each of its files and switches off. About 25 seconds a boot on an idle processor,
/// so <c>.ci/run</c> boots it when all other tests are done.
/// </summary>
[Trait("Category", "Machine")]
public sealed class MachineBootTests : IDisposable
{
    private const string Init = """
        #!/bin/sh
        echo "MARKER $(cat /etc/revision)"
        cd / && find data etc/revision -type f -print0 | sort -z | xargs -0 sha256sum | sed 's/^/SUM /'
        echo "LINK $(readlink data/link) $(stat -c %h data/hard1)"
        poweroff -f
        """;

    private readonly PublishBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [MachineFact]
    public async Task Boot_OfARevisionThenOfTheNextThenWithoutTheStratum1_ShowsWhatWasPublished()
    {
        await MakeTreeAsync();
        string[] first = Sums();
        await _bench.PublishAsync(request => request with { Tag = "v1", Moves = ["HEAD"] });
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        stratum1.ServeDirectory(PublishBench.Fqrn, _bench.Root);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _bench.KeysFolder }, _bench.Time, stratum1);
        await AssertBootsAsync(proxy, "HEAD", "one", first);
        Assert.True(stratum1.ObjectRequestCount > 0);

        _bench.Write("etc/revision", "two\n");
        _bench.Write("data/deep/er/file3", "a security update");
        await _bench.PublishAsync(request => request with { Tag = "v2", Moves = ["HEAD"] });
        stratum1.ServeDirectory(PublishBench.Fqrn, _bench.Root);
        await FetchAheadAsync(proxy);
        int before = stratum1.ObjectRequestCount;
        await AssertBootsAsync(proxy, "HEAD", "two", Sums());
        Assert.Equal(before, stratum1.ObjectRequestCount);

        stratum1.Everything = UpstreamBehaviour.CloseWithoutAnswer;
        _bench.Time.Advance(TimeSpan.FromMinutes(2));
        await AssertBootsAsync(proxy, "v1", "one", first);
        Assert.Equal(before, stratum1.ObjectRequestCount);
    }

    private Task MakeTreeAsync()
    {
        _bench.Write("etc/revision", "one\n");
        _bench.Write("sbin/init", Init + "\n");
        return _bench.ShellAsync($$"""
            chmod 755 sbin/init
            mkdir -p bin data/deep/er
            cp {{MachineFactAttribute.Busybox}} bin/busybox
            for applet in sh cat sed find sort xargs sha256sum readlink stat poweroff; do ln -s busybox bin/$applet; done
            for i in $(seq 20); do head -c ${i}000 /dev/urandom > data/deep/er/file$i; done
            head -c 5000000 /dev/urandom > data/large
            : > data/empty
            echo 'one file, two names' > data/hard1
            ln data/hard1 data/hard2
            ln -s deep/er/file1 data/link
            echo odd > 'data/odd name'
            """);
    }

    /// <summary>The new revision is asked for, and all of it is fetched.</summary>
    private async Task FetchAheadAsync(ProxyUnderTest proxy)
    {
        _bench.Time.Advance(TimeSpan.FromMinutes(2)); // once: each question compares the manifest's age
        await Waiting.UntilAsync(async () =>
            (await proxy.GetAsync($"/cvmfs/{PublishBench.Fqrn}/.cvmfspublished")).Body.AsSpan().IndexOf("\nS2\n"u8) > 0);
        using var client = new AdminClient(proxy.Services.GetRequiredService<BreakwaterSettings>());
        WarmReport? last = null;
        await foreach (WarmReport report in client.StreamAsync<WarmReport>(
            HttpMethod.Post, "warm", new WarmOrder(PublishBench.Fqrn, Tag: "HEAD", All: true), default))
        {
            last = report;
        }

        Assert.True(last is { IsDone: true, Failed: 0, Problem: null }, last?.ToString());
    }

    private async Task AssertBootsAsync(ProxyUnderTest proxy, string tag, string revision, string[] sums)
    {
        string host = $"10.0.2.2:{proxy.EndPoint.Port}"; // this machine, as QEMU's own network has it
        string console = await ConsoleOfAsync(BootFolder.Words(PublishBench.Fqrn, host, _bench.Keys.ReadPublic(), tag));
        string[] lines = [.. console.Split('\n').Select(line => line.Trim())];
        Assert.True(lines.Contains("MARKER " + revision), console);
        Assert.True(lines.Contains("LINK deep/er/file1 2"), console);
        Assert.Equal(sums, lines.Where(line => line.StartsWith("SUM ", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    /// <summary>What the machine's console has shown when the machine is off.</summary>
    private async Task<string> ConsoleOfAsync(string words)
    {
        string console = _bench.Combine("console");
        var start = new ProcessStartInfo("qemu-system-x86_64");
        foreach (string argument in (IEnumerable<string>)
        [
            "-accel", "tcg", "-m", "512", "-display", "none", "-monitor", "none", "-no-reboot", "-serial", $"file:{console}",
            "-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile=",
            "-kernel", Path.Combine(MachineFactAttribute.Image, "vmlinuz"),
            "-initrd", Path.Combine(MachineFactAttribute.Image, "initrd.img"),
            "-append", $"console=ttyS0 quiet panic=1 cvmfs_panic=poweroff {words}",
        ])
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            CommandResult result = await BreakwaterCommand.RunAsync(start);
            Assert.True(result.ExitCode == 0, result.Error);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{await File.ReadAllTextAsync(console)}");
        }

        return await File.ReadAllTextAsync(console);
    }

    private string[] Sums() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(_bench.Tree, "data"), "*", SearchOption.AllDirectories)
            .Append(Path.Combine(_bench.Tree, "etc/revision"))
            .Where(file => new FileInfo(file).LinkTarget is null)
            .Select(file =>
                $"SUM {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}  {Path.GetRelativePath(_bench.Tree, file)}")
            .Order(StringComparer.Ordinal),
    ];
}
