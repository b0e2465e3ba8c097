import fs from 'node:fs';
const fd=fs.openSync('/tmp/engpeers/x','w');const b=Buffer.alloc(8192);
let t=performance.now();for(let i=0;i<200;i++){fs.writeSync(fd,b,0,8192,i*8192);fs.fdatasyncSync(fd);}console.log('append fdatasync ms',(performance.now()-t)/200);
t=performance.now();for(let i=0;i<200;i++){fs.writeSync(fd,b,0,8192,i*8192);fs.fdatasyncSync(fd);}console.log('overwrite fdatasync ms',(performance.now()-t)/200);
t=performance.now();for(let i=0;i<2000;i++){fs.mkdirSync('/tmp/engpeers/d'+i);fs.rmSync('/tmp/engpeers/d'+i,{recursive:true});}console.log('mkdir+rm sync us',(performance.now()-t)/2);
t=performance.now();for(let i=0;i<2000;i++){await fs.promises.mkdir('/tmp/engpeers/d'+i);await fs.promises.rm('/tmp/engpeers/d'+i,{recursive:true});}console.log('mkdir+rm async us',(performance.now()-t)/2);
