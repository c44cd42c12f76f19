using System.Diagnostics;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>The program itself, up to the mount, for which there is no place here.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Run_WithWrongArguments_SaysHowToUseItAndEndsWith64()
    {
        (int code, string said) = await RunAsync("os.lab.example");
        Assert.Equal(64, code);
        Assert.StartsWith("breakwater-mount: A repository and a mount point are needed.\n", said, StringComparison.Ordinal);
        Assert.Contains("--server S1", said, StringComparison.Ordinal);
    }

    /// <summary>All but the mount: the snapshot is found and verified, and its root catalog is there.</summary>
    [Theory]
    [InlineData("--keys KEYS")]
    [InlineData("--keys KEYS --tag v1")]
    [InlineData("--keys KEYS --pac PAC --proxy 127.0.0.1:1")]
    [InlineData("--insecure")]
    [InlineData("--root-hash 3340320000d5e406ed5913199f9c96ca2dc0e5ea")]
    public async Task Run_WhereNothingCanBeMounted_SaysSoInTheEndAlone(string arguments)
    {
        FixtureRepository repository = FixtureRepository.MiniOs;
        await using ScriptedUpstream server = ScriptedUpstream.Serving(repository);
        server.Put("/proxy.pac", "function FindProxyForURL(url, host) { return 'DIRECT'; }"u8.ToArray());
        (int code, string said) = await RunAsync(server, arguments);
        Assert.Equal(1, code);
        string[] lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.EndsWith("root and fuse are needed.", lines[^1], StringComparison.Ordinal);
        Assert.Equal(
            arguments == "--insecure" ? ["breakwater-mount: --insecure: nothing tells who published this system."] : [], lines[..^1]);
        Assert.True(Directory.Exists(_directory.Combine("cache")));
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Combine("cache")));
    }

    [Theory]
    [InlineData("--keys KEYS --tag v17", "minios.example.org: there is no tag 'v17'")]
    [InlineData("--root-hash 00", "minios.example.org: '00' is no hash of a catalog")]
    [InlineData("--root-hash 0000000000000000000000000000000000000000 --patience 0",
        "minios.example.org: its root catalog 0000000000000000000000000000000000000000C cannot be had.")]
    [InlineData("--keys KEYS --pac ADDRESSabsent.pac;ADDRESSchoosy.pac --proxy 127.0.0.1:1 --patience 0",
        "no file of --pac tells a proxy; using '127.0.0.1:1'.")]
    [InlineData("--keys KEYS --pac ADDRESSabsent.pac --patience 0", "ADDRESSabsent.pac: status 404.")]
    [InlineData("--keys KEYS --pac ADDRESSchoosy.pac --patience 0", "ADDRESSchoosy.pac: its answer is not always the same.")]
    public async Task Run_OfWhatIsNotThere_SaysWhat(string arguments, string expected)
    {
        await using ScriptedUpstream server = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
        server.Put("/choosy.pac", "function FindProxyForURL(url, host) { return choose(host); }"u8.ToArray());
        (int code, string said) = await RunAsync(server, arguments);
        Assert.Equal(1, code);
        Assert.Contains(
            $"breakwater-mount: {expected.Replace("ADDRESS", server.Address, StringComparison.Ordinal)}\n", said, StringComparison.Ordinal);
    }

    private Task<(int Code, string Said)> RunAsync(ScriptedUpstream server, string arguments)
    {
        FixtureRepository repository = FixtureRepository.MiniOs;
        Directory.CreateDirectory(_directory.Combine("keys"));
        File.Copy(repository.MasterKeyPath, _directory.Combine("keys", repository.Fqrn + ".pub"));
        string text = $"{repository.Fqrn} {_directory.Combine("absent")} --server {server.Address} --cache {_directory.Combine("cache")} "
            + arguments.Replace("KEYS", _directory.Combine("keys"), StringComparison.Ordinal)
            .Replace("PAC", server.Address + "proxy.pac", StringComparison.Ordinal)
            .Replace("ADDRESS", server.Address, StringComparison.Ordinal);
        return RunAsync(text.Split(' '));
    }

    private static async Task<(int Code, string Said)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "breakwater-mount"), arguments)
        {
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string said = await process.StandardError.ReadToEndAsync().InTimeAsync();
        await process.WaitForExitAsync().InTimeAsync();
        return (process.ExitCode, said);
    }
}
