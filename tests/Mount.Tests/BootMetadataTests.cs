using System.Diagnostics;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>How the boot image's init asks a cloud for user data, by the programs that it has there.</summary>
public sealed class BootMetadataTests
{
    private const string Data = "#!/bin/sh\n[ucernvm-begin]\ncvmfs_branch=os.lab.example\n[ucernvm-end]\n";

    [BusyboxFact]
    public async Task UserData_OfEc2_IsAskedForWithTheTokenOfAPut()
    {
        using var server = new CannedServer(Ok("token-1==\nmore"), Ok(Data));
        Assert.Equal("cvmfs_branch=os.lab.example\n", await AskAsync(server, "yes"));
        Assert.StartsWith("PUT /latest/api/token HTTP/1.0\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.Contains("\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.StartsWith("GET /latest/user-data ", server.Requests[1], StringComparison.Ordinal);
        Assert.Contains("\r\nX-aws-ec2-metadata-token: token-1==\r\n", server.Requests[1], StringComparison.Ordinal);
    }

    [BusyboxFact]
    public async Task UserData_WhereNoTokensAre_IsAskedForWithoutOne()
    {
        using var server = new CannedServer(Missing("405 Method Not Allowed"), Ok(Data));
        Assert.Equal("cvmfs_branch=os.lab.example\n", await AskAsync(server, "yes"));
        Assert.DoesNotContain("metadata-token", server.Requests[1], StringComparison.Ordinal);
    }

    [BusyboxFact]
    public async Task UserData_OfOpenStackAlone_IsFound()
    {
        using var server = new CannedServer(Missing("404 Not Found"), Missing("404 Not Found"), Ok(Data));
        Assert.Equal("cvmfs_branch=os.lab.example\n", await AskAsync(server, "yes"));
        Assert.StartsWith("GET /openstack/latest/user_data ", server.Requests[2], StringComparison.Ordinal);
    }

    [BusyboxFact]
    public async Task UserData_WithoutABlockOrOfNobody_SetsNothing()
    {
        using var server = new CannedServer(Missing("404 Not Found"), Ok("#!/bin/sh\ncvmfs_branch=x\n"), Missing("404 Not Found"));
        Assert.Equal("", await AskAsync(server, "yes"));
        Assert.Equal(3, server.Requests.Count);
        using var unasked = new CannedServer(Ok(Data));
        Assert.Equal("", await AskAsync(unasked, "no"));
        Assert.Empty(unasked.Requests);
        int port = new Uri(unasked.Address).Port;
        unasked.Dispose();
        Assert.Equal("", await AskAsync(port, "yes"));
    }

    private static string Ok(string body) => $"HTTP/1.0 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}#";

    private static string Missing(string status) => $"HTTP/1.0 {status}\r\nContent-Length: 6\r\n\r\nabsent#";

    private static Task<string> AskAsync(CannedServer server, string asks) => AskAsync(new Uri(server.Address).Port, asks);

    private static async Task<string> AskAsync(int port, string asks)
    {
        using var directory = new TemporaryDirectory();
        const string Script = """
            say() { :; }
            for program in nc timeout tr sed head grep cat; do "$BUSYBOX" ln -s "$BUSYBOX" "$1/$program"; done
            PATH=$1 BLOCK=$1/block METADATA=127.0.0.1 METADATA_PORT=$3
            argument() { echo "$ASKS"; }
            . "$2/35-words"; . "$2/36-metadata"; user_data_of_cloud; settings_show
            """;
        var start = new ProcessStartInfo(
            BusyboxFactAttribute.Program!,
            ["sh", "-c", Script, "sh", directory.Path, Checkout.PathOf("deployment", "microvm", "init"), $"{port}"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["BUSYBOX"] = BusyboxFactAttribute.Program;
        start.Environment["ASKS"] = asks;
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync().InTimeAsync();
        await process.WaitForExitAsync().InTimeAsync();
        return output;
    }
}
