# wedgewatch for a host with Nix, from the tarball of `npm pack`: dist/ and the modules are in it, so nothing is fetched
# but nixpkgs. Unpack the tarball, and build its directory by path, since git would leave dist/ out:
#   nix build path:wedgewatch --out-link ~/.local/state/wedgewatch-program
#   ~/.local/state/wedgewatch-program/bin/wedgewatch install --command ~/.local/state/wedgewatch-program/bin/wedgewatch
{
  description = "A watchdog for wedged QEMU guests";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEach = nixpkgs.lib.genAttrs systems;
      manifest = builtins.fromJSON (builtins.readFile ./package.json);
    in
    {
      packages = forEach (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        {
          default =
            assert nixpkgs.lib.assertMsg (
              builtins.pathExists ./dist && builtins.pathExists ./node_modules
            ) "there is no dist/ here: unpack the tarball of `npm pack`, and build that directory with path:";
            pkgs.stdenvNoCC.mkDerivation {
              pname = manifest.name;
              inherit (manifest) version;
              src = self;
              nativeBuildInputs = [ pkgs.makeWrapper ];
              dontBuild = true;
              # journalctl, systemctl and loginctl are the host's: they must fit its systemd.
              installPhase = ''
                mkdir -p $out/lib/wedgewatch
                cp -r dist guest systemd docs node_modules package.json config.example.yaml $out/lib/wedgewatch/
                makeWrapper ${pkgs.nodejs}/bin/node $out/bin/wedgewatch \
                  --add-flags $out/lib/wedgewatch/dist/cli/main.js \
                  --suffix PATH : ${nixpkgs.lib.makeBinPath [ pkgs.openssh ]}
              '';
              meta = {
                inherit (manifest) description;
                license = nixpkgs.lib.licenses.mit;
                mainProgram = "wedgewatch";
                platforms = systems;
              };
            };
        }
      );
    };
}
